/** A signing secret for this machine, so that the route takes signed deliveries before there is an endpoint in Clerk. */

import { execFile } from 'node:child_process'
import { appendFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createSigningSecret } from '../testing/sign.ts'
import type { Framework } from './frameworks.ts'

export interface LocalSecret {
  /** The file that has it. */
  readonly path: string
  /** Whether it is new: a secret that is there is kept. */
  readonly isNew: boolean
  /** Whether git would commit the file; false too where git does not tell. */
  readonly isTracked: boolean
}

const NAME = 'CLERK_WEBHOOK_SIGNING_SECRET'
const IS_SET = new RegExp(`^\\s*(?:export\\s+)?${NAME}\\s*=\\s*['"]?[^\\s'"#]`, 'm')
const COMMENT = '# For this machine only. In production set the Signing Secret of the endpoint in Clerk.'

/** Writes one, unless a file of variables has one. */
export async function ensureLocalSecret(root: string, framework: Framework): Promise<LocalSecret> {
  for (const path of ['.env.local', '.env']) {
    if (IS_SET.test(await textOf(join(root, path)))) return describe(root, path, false)
  }
  const path = framework.startsWith('next') ? '.env.local' : '.env'
  const before = await textOf(join(root, path))
  const start = before === '' || before.endsWith('\n') ? '' : '\n'
  // Nobody else on this machine reads a file that is created here.
  await appendFile(join(root, path), `${start}${COMMENT}\n${NAME}=${createSigningSecret()}\n`, {
    mode: 0o600,
  })
  return describe(root, path, true)
}

async function describe(root: string, path: string, isNew: boolean): Promise<LocalSecret> {
  return { path, isNew, isTracked: await isTracked(root, path) }
}

function textOf(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
}

/** `git check-ignore` ends with 1 if the file is not ignored; with something else if there is no repository, or no git. */
function isTracked(root: string, path: string): Promise<boolean> {
  return promisify(execFile)('git', ['check-ignore', '--quiet', path], { cwd: root }).then(
    () => false,
    (error) => error.code === 1,
  )
}
