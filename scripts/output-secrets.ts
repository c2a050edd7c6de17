/**
 * Runs a command of tests and fails if its output holds any secret that the tests use: what a test prints, or a library
 * under test logs, would be printed in production too.
 *
 *     npm run -s search-output npm test
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'

const TESTS = fileURLToPath(new URL('../test', import.meta.url))
const KINDS = [
  /** Signing secrets: the key counts, with its prefix and without. */
  /whsec_([A-Za-z0-9+/]{24,}={0,2})/g,
  /** Secret keys of Clerk's Backend API. */
  /(sk_(?:test|live)_[A-Za-z0-9]{12,})/g,
  /** Tokens of the dashboard and of tunnels. */
  /\b[A-Z_]*TOKEN = '([^']{12,})'/g,
  /** Passwords of databases, other than the one that equals its user. */
  /postgres(?:ql)?:\/\/([\w-]+):(?!\1@)([^@'"`\s/$]{6,})@/g,
]

/** What only the run itself makes: links and tokens of Svix's portal. */
const MADE = [/#key=([\w%+/-]{20,})/, /\b(?:ott|appsk)_([0-9a-f]{20,})/]

/** The secrets in the tests' sources and fixtures. */
export function secretsOfTests(folder: string = TESTS): Set<string> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  const texts = files
    .filter((path) => ['.ts', '.json'].includes(extname(path)) && !path.includes('node_modules'))
    .map((path) => readFileSync(join(folder, path), 'utf8'))
  const found = texts.flatMap((text) =>
    KINDS.flatMap((kind) => [...text.matchAll(kind)].map((match) => match.at(-1))),
  )
  return new Set(found.filter((secret) => secret !== undefined && !isRepetition(secret)) as string[])
}

/** Stands in a test for what is no secret at all. */
function isRepetition(secret: string): boolean {
  return new Set(secret.replace(/=+$/, '')).size < 5
}

/** The lines that hold a secret, with the secret cut. */
export function leaksIn(output: string, secrets: ReadonlySet<string>): string[] {
  // Colours in the middle of a secret would hide it.
  const lines = stripVTControlCharacters(output)
  return lines.split('\n').flatMap((line, index) => {
    const made = MADE.flatMap((kind) => kind.exec(line)?.[1] ?? [])
    const secret = [...secrets, ...made].find((each) => line.includes(each))
    return secret === undefined
      ? []
      : [`line ${index + 1}: ${line.replaceAll(secret, `${secret.slice(0, 6)}…`)}`]
  })
}

/** A process that the command left behind would keep its output open for ever. */
const LEFT_BEHIND_MS = 3_000

async function main([command = '', ...args]: readonly string[]): Promise<void> {
  const child = spawn(command, args, { stdio: ['inherit', 'pipe', 'pipe'] })
  let output = ''
  const collect = (target: NodeJS.WriteStream) => (chunk: string) => {
    target.write(chunk)
    output += chunk
  }
  child.stdout.setEncoding('utf8').on('data', collect(process.stdout))
  child.stderr.setEncoding('utf8').on('data', collect(process.stderr))
  const closed = once(child, 'close')
  const [code] = (await once(child, 'exit')) as [number | null]
  const isClosed = await Promise.race([closed.then(() => true), sleep(LEFT_BEHIND_MS, false, { ref: false })])
  const secrets = secretsOfTests()
  const problems = leaksIn(output, secrets).map((leak) => `A secret was printed, ${leak}`)
  if (!isClosed) problems.push('The command ended, but a process that it started is still running.')
  for (const problem of problems) console.error(problem)
  if (problems.length === 0)
    console.log(`The output holds none of the ${secrets.size} secrets that the tests use.`)
  child.stdout.destroy()
  child.stderr.destroy()
  process.exitCode = problems.length > 0 ? 1 : (code ?? 1)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.slice(2))
