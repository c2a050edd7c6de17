/**
 * The package as npm would publish it, installed elsewhere: what is in it, what comes along, that every subpath loads and
 * has its types in every way a project may be set up, and that the command line works. Ends with the demo.
 */

import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import manifest from '../package.json' with { type: 'json' }
import { BUNDLED } from './bundle-cli.ts'
import { type Packed, pack, twoAtOnce } from './pack.ts'

/** Without declarations of what only the command line imports: some name types of packages that are not installed. */
const NEEDED =
  /^(dist\/(?!(cli|middleware|scaffold|simulation|tunnel)\/).+\.d\.ts|dist\/.+\.js(on)?|dist\/vendor\/LICENSES\.md|package\.json|README\.md|LICENSE)$/
/** Every way in which TypeScript finds modules that have `exports`. */
const MODULE_SETTINGS = [
  ['nodenext', 'nodenext'],
  ['node20', 'node16'],
  ['esnext', 'bundler'],
  ['preserve', 'bundler'],
]
/** Peers that a subpath imports when it loads, and what they need in turn. The other optional peers are imported as types. */
const LOADED_PEERS = [
  '@nestjs/common',
  '@nestjs/core',
  '@opentelemetry/api',
  'reflect-metadata',
  'rxjs',
] as const

/** Blocks webhooks, which `doctor` can only tell by parsing it. */
const MIDDLEWARE = `import { clerkMiddleware } from '@clerk/nextjs/server'
export default clerkMiddleware(async (auth) => { await auth.protect() })
export const config = { matcher: '/api/(.*)' }
`

const root = fileURLToPath(new URL('..', import.meta.url))
const run = promisify(execFile)
const folder = await mkdtemp(join(tmpdir(), 'clerk-sync-package-'))
const node = (...words: string[]) => run(process.execPath, words, { cwd: folder })
const subpaths = Object.entries(manifest.exports)
  .filter(([, target]) => target.endsWith('.js'))
  .map(([subpath]) => join(manifest.name, subpath))

try {
  const packed = await pack(folder)
  checkFiles(packed)
  await lint(packed)
  await twoAtOnce(testedPeers(), (peer) => resolveBeside(packed, peer))
  await install(packed)
  checkAbsence()
  await measure()
  await checkCommandLine()
  await installPeers()
  for (const subpath of subpaths) await load(subpath)
  for (const [module = '', resolution = ''] of MODULE_SETTINGS) await checkTypes(module, resolution)
  console.log((await clerkSync('demo')).stdout)
} finally {
  await rm(folder, { recursive: true, force: true })
}

function checkFiles({ files, size, unpackedSize }: Packed): void {
  const useless = files.map(({ path }) => path).filter((path) => !NEEDED.test(path))
  if (useless.length > 0) throw new Error(`nobody needs these files of the package: ${useless.join(', ')}`)
  console.log(`packed     ${kilobytes(size)}, ${files.length} files, ${kilobytes(unpackedSize)} unpacked`)
}

/** https://publint.dev/rules, and whether every kind of project finds the types: https://arethetypeswrong.github.io */
async function lint({ tarball }: Packed): Promise<void> {
  const linters = [
    ['publint', 'run', tarball, '--strict'],
    ['attw', tarball, '--ignore-rules', 'cjs-resolves-to-esm'],
  ]
  await twoAtOnce(linters, async (words) => {
    const { stdout } = await run('npx', ['--no-install', ...words], { cwd: root }).catch((error) => {
      throw new Error(`${words.join(' ')}:\n${error.stdout}`)
    })
    console.log(stdout.trimEnd())
  })
}

async function install({ tarball }: Packed): Promise<void> {
  await writeFile(join(folder, 'package.json'), '{"private":true}')
  await run('npm', ['install', tarball], { cwd: folder })
}

/** Every version of an optional package that the tests run, those under another name included: `bullmq5` is `npm:bullmq@5`. */
function testedPeers(): string[] {
  const versions: readonly [string, string][] = Object.entries(manifest.devDependencies)
  return versions
    .map(([name, version]) =>
      version.startsWith('npm:') ? version.slice('npm:'.length) : `${name}@${version}`,
    )
    .filter((peer) => peer.slice(0, peer.lastIndexOf('@')) in manifest.peerDependencies)
}

/** npm stops with ERESOLVE where a version is out of the range that is declared, or two packages want different ones. */
async function resolveBeside({ tarball }: Packed, peer: string): Promise<void> {
  const flags = ['--dry-run', '--ignore-scripts', '--no-audit', '--no-fund']
  await run('npm', ['install', ...flags, tarball, peer], {
    cwd: await mkdtemp(join(folder, 'peer-')),
  })
  console.log(`beside     ${peer}`)
}

async function measure(): Promise<void> {
  const { stdout: all } = await run('npm', ['ls', '--all', '--parseable'], { cwd: folder })
  const { stdout: size } = await run('du', ['-sk', 'node_modules'], { cwd: folder })
  const { stdout: pglite } = await run('du', ['-sk', 'node_modules/@electric-sql'], { cwd: folder })
  const of = (du: string) => kilobytes(Number.parseInt(du, 10) * 1024)
  const packages = all.trim().split('\n').length - 2
  console.log(`installed  ${of(size)} with ${packages} dependencies, of which PGlite has ${of(pglite)}`)
}

function checkAbsence(): void {
  const present = BUNDLED.filter((name) => existsSync(join(folder, 'node_modules', name)))
  if (present.length > 0) throw new Error(`installed although bundled: ${present.join(', ')}`)
}

/** Every bundled package is loaded: the parsers by `doctor`, the prompts by their own file, the others by the help. */
async function checkCommandLine(): Promise<void> {
  await clerkSync('--help')
  await writeFile(join(folder, 'middleware.js'), MIDDLEWARE)
  const { stdout } = await clerkSync('doctor', '--json').catch((error) => error)
  if (!stdout.includes('middleware_protects'))
    throw new Error(`doctor did not read the middleware:\n${stdout}`)
  const prompts = join(folder, 'node_modules/clerk-sync/dist/vendor/@clack/prompts.js')
  await node('--input-type=module', '--eval', `import { confirm, select } from '${prompts}'`)
}

async function installPeers(): Promise<void> {
  const peers = LOADED_PEERS.map((name) => `${name}@${manifest.devDependencies[name]}`)
  await run('npm', ['install', ...peers], { cwd: folder })
}

async function load(subpath: string): Promise<void> {
  await node('--input-type=module', '--eval', `await import('${subpath}')`)
  await node('--input-type=commonjs', '--eval', `require('${subpath}')`)
}

/** Of the declarations themselves as well, which many projects skip. */
async function checkTypes(module: string, moduleResolution: string): Promise<void> {
  const names = subpaths.map((subpath, at) => `import * as m${at} from '${subpath}'\nexport { m${at} }`)
  await writeFile(join(folder, 'consumer.mts'), names.join('\n'))
  const typeRoots = join(root, 'node_modules/@types')
  const flags = { module, moduleResolution, target: 'es2024', lib: 'es2024', types: 'node', typeRoots }
  const words = Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value])
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const { stdout } = await node(tsc, ...words, '--strict', '--noEmit', 'consumer.mts').catch((error) => error)
  const complaints = stdout.split('\n').filter((line: string) => line !== '' && !isAboutPeer(line))
  if (complaints.length > 0)
    throw new Error([`types under ${module}, ${moduleResolution}:`, ...complaints].join('\n'))
}

/** Who uses a subpath for an optional package has that package. */
function isAboutPeer(complaint: string): boolean {
  const [, missing = ''] = /error TS2307: Cannot find module '([^']+)'/.exec(complaint) ?? []
  return missing in manifest.peerDependencies
}

function clerkSync(...words: string[]) {
  return run('npx', ['--no-install', 'clerk-sync', ...words], { cwd: folder })
}

function kilobytes(bytes: number): string {
  return `${Math.round(bytes / 1024).toLocaleString('en')} KB`
}
