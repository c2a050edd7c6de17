/** Network namespaces, as containers have them, joined to this one by a bridge. */

import { execFileSync } from 'node:child_process'

const SUBNET = '10.213.0'
/** Unique among the runs of this machine; a device's name has at most 15 letters. */
const PREFIX = `scale${process.pid}`

export interface Namespace {
  readonly name: string
  /** Where this machine reaches it. */
  readonly address: string
}

export class Network {
  /** Where namespaces reach this machine. */
  readonly address = `${SUBNET}.1`
  readonly #namespaces: Namespace[] = []

  /** @throws where that is not allowed */
  constructor() {
    ip(['link', 'add', PREFIX, 'type', 'bridge'])
    ip(['address', 'add', `${this.address}/24`, 'dev', PREFIX])
    ip(['link', 'set', PREFIX, 'up'])
  }

  add(): Namespace {
    const number = this.#namespaces.length + 2
    const name = `${PREFIX}-${number}`
    const address = `${SUBNET}.${number}`
    ip(['netns', 'add', name])
    this.#namespaces.push({ name, address })
    ip(['link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name])
    ip(['link', 'set', name, 'master', PREFIX, 'up'])
    for (const device of ['lo', 'eth0']) ip(['-n', name, 'link', 'set', device, 'up'])
    ip(['-n', name, 'address', 'add', `${address}/24`, 'dev', 'eth0'])
    return { name, address }
  }

  /** At once, because it also happens while this process exits. */
  remove(): void {
    for (const { name } of this.#namespaces.splice(0)) {
      // The namespace's own end is removed later than the namespace, so that the name would still be taken.
      attempt(['link', 'delete', name])
      attempt(['netns', 'delete', name])
    }
    attempt(['link', 'delete', PREFIX])
  }
}

function ip(command: readonly string[]): void {
  execFileSync('ip', command, { stdio: ['ignore', 'ignore', 'pipe'] })
}

function attempt(command: readonly string[]): void {
  try {
    ip(command)
  } catch {
    // It does not exist.
  }
}
