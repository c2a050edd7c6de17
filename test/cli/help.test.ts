import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type BuiltPackage, buildPackage } from '../support/built.ts'
import { temporaryFolder } from '../support/cli.ts'

const folder = temporaryFolder()
let built: BuiltPackage
beforeAll(async () => {
  built = await buildPackage()
}, 180_000)
afterAll(() => built[Symbol.asyncDispose]())

/** Prints the CPU time at the end: unlike the clock on the wall it does not depend on what else the machine does. */
const PRINT_CPU = `data:text/javascript,${encodeURIComponent(`process.on('exit', () => {
  const { user, system } = process.cpuUsage()
  process.stderr.write(String((user + system) / 1000))
})`)}`

it('shows its help within 150 ms', async () => {
  const times: number[] = []
  // The first one compiles, and caches what it compiled.
  for (let run = 0; run < 6; run++) {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [
      '--import',
      PRINT_CPU,
      built.main,
      '--help',
    ])
    expect(stdout).toMatch(/^Examples:/)
    times.push(Number(stderr))
  }
  expect(Math.min(...times)).toBeLessThan(150)
}, 60_000)

/** Ends the process at the first word that it writes, and prints the CPU time until then. */
const END_AT_FIRST_WORD = `data:text/javascript,${encodeURIComponent(`for (const stream of [process.stdout, process.stderr]) {
  const write = stream.write.bind(stream)
  stream.write = (text, ...rest) => {
    if (!/\\w/.test(text)) return write(text, ...rest)
    const { user, system } = process.cpuUsage()
    write('after ' + (user + system) / 1000 + ' ms: ' + text)
    process.exit(0)
  }
}`)}`

it('says the first line of dev within a second', async () => {
  const cwd = await folder()
  const env = { PATH: process.env.PATH, NO_COLOR: '1' }
  const times: number[] = []
  for (let run = 0; run < 3; run++) {
    const words = ['--import', END_AT_FIRST_WORD, built.main, 'dev', '--port', '0']
    const { stdout, stderr } = await promisify(execFile)(process.execPath, words, { cwd, env })
    times.push(Number(/^after ([\d.]+) ms/m.exec(stdout + stderr)?.[1]))
  }
  expect(Math.min(...times)).toBeLessThan(1_000)
}, 60_000)
