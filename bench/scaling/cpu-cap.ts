/** A limit on the CPU of one process: a control group of its own, as a container has. */

import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs'

/** Short, because a process that has used up its share stops until the next period, also in the middle of a transaction. */
const PERIOD_US = 20_000
const VERSION_1 = '/sys/fs/cgroup/cpu'
const VERSION_2 = '/sys/fs/cgroup'

interface Layout {
  readonly root: string
  /** What to write in which file; a share of 0 means no limit. */
  readonly quota: (microseconds: number) => Readonly<Record<string, string>>
}

/** @returns undefined where there is no CPU controller */
function findLayout(): Layout | undefined {
  if (existsSync(`${VERSION_1}/cpu.cfs_quota_us`)) {
    const period = { 'cpu.cfs_period_us': String(PERIOD_US) }
    return { root: VERSION_1, quota: (us) => ({ ...period, 'cpu.cfs_quota_us': String(us || -1) }) }
  }
  if (!existsSync(`${VERSION_2}/cgroup.controllers`)) return undefined
  return { root: VERSION_2, quota: (us) => ({ 'cpu.max': `${us || 'max'} ${PERIOD_US}` }) }
}

export class CpuCap {
  readonly #folder: string
  readonly #layout: Layout

  /** @throws where that is not allowed */
  constructor(name: string) {
    const layout = findLayout()
    if (!layout) throw new Error('no CPU controller in /sys/fs/cgroup')
    this.#layout = layout
    this.#folder = `${layout.root}/${name}`
    if (layout.root === VERSION_2) writeFileSync(`${VERSION_2}/cgroup.subtree_control`, '+cpu')
    mkdirSync(this.#folder)
  }

  add(pid: number): void {
    writeFileSync(`${this.#folder}/cgroup.procs`, String(pid))
  }

  /** @param share of one core; 0 for no limit */
  set(share: number): void {
    for (const [file, text] of Object.entries(this.#layout.quota(Math.round(share * PERIOD_US)))) {
      writeFileSync(`${this.#folder}/${file}`, text)
    }
  }

  /** After its process has ended. */
  remove(): void {
    if (existsSync(this.#folder)) rmdirSync(this.#folder)
  }
}
