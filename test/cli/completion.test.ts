import { execFile, execFileSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { callCli, temporaryFolder } from '../support/cli.ts'

const SHELLS = ['bash', 'zsh', 'fish'] as const
type Shell = (typeof SHELLS)[number]

/** What each shell is told in order to show its candidates for a line, one a line. */
const ASK: Readonly<Record<Shell, (script: string, words: readonly string[]) => string[]>> = {
  bash: (script, words) => [
    '--norc',
    '-c',
    `source ${script}; COMP_WORDS=(clerk-sync ${quoted(words)}); COMP_CWORD=${words.length}; _clerk_sync; printf '%s\\n' "\${COMPREPLY[@]}"`,
  ],
  // The function that shows them is replaced; a terminal would be needed to press a key.
  zsh: (script, words) => [
    '-f',
    '-c',
    `compdef() { }; _describe() { print -l -- "\${(@P)\${@[-1]}}"; }; _files() { }; source ${script}
     words=(clerk-sync ${quoted(words)}); CURRENT=${words.length + 1}; _clerk_sync`,
  ],
  fish: (script, words) => [
    '--no-config',
    '-c',
    `source ${script}; complete -C "clerk-sync ${words.join(' ')}"`,
  ],
}

function quoted(words: readonly string[]): string {
  return words.map((word) => `'${word}'`).join(' ')
}

function isInstalled(shell: Shell): boolean {
  try {
    execFileSync(shell, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

// bash is everywhere; the others where somebody installed them.
describe.each(SHELLS.filter((shell) => shell === 'bash' || isInstalled(shell)))(
  'the completion of %s',
  (shell) => {
    const folder = temporaryFolder()
    let script: string

    beforeAll(async () => {
      const cwd = await folder()
      const { code, stdout, stderr } = await callCli(['completion', shell], { cwd })
      expect([code, stderr]).toEqual([0, ''])
      script = join(cwd, `completion.${shell}`)
      await writeFile(script, stdout)
    })

    /** The candidates that start with the last word. */
    const complete = async (...words: string[]) => {
      const { stdout, stderr } = await promisify(execFile)(shell, ASK[shell](script, words))
      expect(stderr).toBe('')
      const candidates = stdout.split('\n').map((line) => line.split(/[:\t]/)[0] as string)
      return candidates.filter((word) => word !== '' && word.startsWith(words.at(-1) as string))
    }

    it('knows commands, and commands of commands', async () => {
      expect(await complete('')).toEqual(expect.arrayContaining(['start', 'doctor', 'events', 'completion']))
      expect(await complete('ev')).toEqual(['events'])
      const words = await complete('events', '')
      expect(words.filter((word) => !word.startsWith('-')).sort()).toEqual(['list', 'replay', 'show'])
    })

    it('knows the options of the command that is there, and those of all', async () => {
      expect(await complete('start', '--po')).toEqual(['--port'])
      expect(await complete('--json', 'events', 'list', '--lim')).toEqual(['--limit'])
      expect(await complete('doctor', '--js')).toEqual(['--json'])
      expect(await complete('doctor', '--lim')).toEqual([])
    })

    it('knows values: of options and of arguments', async () => {
      expect(await complete('events', 'list', '--outcome', 'fa')).toEqual(['failed'])
      expect(await complete('trigger', 'organizationMem')).toEqual(
        expect.arrayContaining(['organizationMembership.created', 'organizationMembership.deleted']),
      )
      expect(await complete('explain', 'body_enc')).toEqual(
        expect.arrayContaining(['body_encoded', 'body_encoded_twice']),
      )
      expect(await complete('completion', 'f')).toEqual(['fish'])
    })
  },
)

describe('clerk-sync completion', () => {
  const folder = temporaryFolder()

  it('refuses another shell', async () => {
    const { code, stderr } = await callCli(['completion', 'tcsh'], { cwd: await folder() })
    expect([code, stderr]).toEqual([2, expect.stringMatching(/bash, zsh,\s+fish/)])
  })
})
