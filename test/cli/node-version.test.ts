import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { isTooOld } from '../../src/cli/node-version.ts'

describe('the version of Node', () => {
  it.each(['18.20.8', '20.20.2', '22.11.9'])('is too old: %s', (version) => {
    expect(isTooOld(version)).toBe(true)
  })

  it.each(['22.12.0', '22.20.1', '24.0.0', '26.1.0', process.versions.node])('is good: %s', (version) => {
    expect(isTooOld(version)).toBe(false)
  })

  it('is the one that the package asks for', async () => {
    const { engines } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'))
    const [, oldest] = /^>=(\d+\.\d+)$/.exec(engines.node) as unknown as [string, string]
    expect(isTooOld(oldest)).toBe(false)
    const [major, minor] = oldest.split('.').map(Number) as [number, number]
    expect(isTooOld(`${major}.${minor - 1}`)).toBe(true)
  })
})
