/** The package as npm would publish it, for everything that tries it elsewhere. */

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const root = fileURLToPath(new URL('..', import.meta.url))

export interface Packed {
  /** The path of its file. */
  readonly tarball: string
  readonly size: number
  readonly unpackedSize: number
  readonly files: readonly { readonly path: string }[]
}

/**
 * Builds and packs the package. With IS_BUILT, as in CI, which has built it and changes nothing afterwards, it only packs.
 * @param folder where the tarball goes
 */
export async function pack(folder: string): Promise<Packed> {
  const flags = process.env.IS_BUILT ? ['--ignore-scripts'] : []
  const { stdout } = await run('npm', ['pack', '--json', ...flags, '--pack-destination', folder], {
    cwd: root,
    maxBuffer: 2 ** 24,
  })
  const [packed] = JSON.parse(stdout.slice(stdout.indexOf('[\n'))) as [Packed & { readonly filename: string }]
  return { ...packed, tarball: join(folder, packed.filename) }
}

/** npm waits for the network half of the time, so that two at once use both cores. */
export async function twoAtOnce<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = items.values()
  const lane = async () => {
    for (const item of queue) await work(item)
  }
  await Promise.all([lane(), lane()])
}
