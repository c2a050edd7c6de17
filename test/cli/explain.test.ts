import { describe, expect, it } from 'vitest'
import { ERRORS } from '../../src/errors.ts'
import { callCli, jsonLines, temporaryFolder } from '../support/cli.ts'

describe('clerk-sync explain', () => {
  const folder = temporaryFolder()
  const explain = async (...args: string[]) => callCli(['explain', ...args], { cwd: await folder() })

  it('tells what a code means and what to do', async () => {
    const { code, stdout } = await explain('signature_mismatch')
    expect(code).toBe(0)
    expect(stdout).toMatch(
      /^signature_mismatch {2}error, answered with HTTP 400\n {2}The signature does not match .+\n {2}Fix {2}/,
    )
  })

  it('knows every code once: of errors, mismatch causes, the doctor and the reasons of events', async () => {
    const all = jsonLines((await explain('--json')).stdout) as {
      code: string
      kind: string
      summary: string
      remedy: string
    }[]
    const codes = all.map(({ code }) => code)
    expect(codes.filter((code, index) => codes.indexOf(code) !== index)).toEqual([])
    expect(codes).toEqual(
      expect.arrayContaining([
        ...Object.keys(ERRORS),
        'body_reserialised',
        'route_protected',
        'older_than_row',
      ]),
    )
    expect(new Set(all.map(({ kind }) => kind))).toEqual(
      new Set(['error', 'mismatch_cause', 'problem', 'warning', 'unclear', 'reason']),
    )
    for (const { summary, remedy } of all) {
      expect(summary).not.toMatch(/\.$/)
      expect(remedy).toMatch(/[.…`)?]$/)
    }
  })

  it('lists them, one a line', async () => {
    const { stdout } = await explain()
    expect(stdout).toMatch(/^route_protected +problem +Clerk’s middleware requires/m)
  })

  it('suggests the code that was probably meant', async () => {
    const { code, stderr } = await explain('signature_missmatch')
    expect([code, stderr]).toEqual([2, expect.stringContaining('Did you mean signature_mismatch?')])
  })
})
