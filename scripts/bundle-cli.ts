/**
 * The last step of the build: bundles the packages that only the command line needs, so that an app does not install them.
 * Each becomes a file in `dist/vendor`, and the built files import it from there.
 *
 * The library itself is never bundled: the command line and an app's configuration must share it, because `instanceof` does
 * not recognize an error of a second copy.
 */

import { globSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'
import { init, parse } from 'es-module-lexer'
import { build } from 'esbuild'
import manifest from '../package.json' with { type: 'json' }

/** The packages that `src/cli` and `src/middleware` import. */
export const BUNDLED = [
  '@clack/prompts',
  'acorn',
  'commander',
  'fast-string-truncated-width',
  'fast-wrap-ansi',
  'path-to-regexp',
  'picocolors',
] as const

const ROOT = join(import.meta.dirname, '..')
const INSTALLED = { ...manifest.dependencies, ...manifest.optionalDependencies, ...manifest.peerDependencies }
const PACKAGE = /^(?:@[^/]+\/)?[^/]+/
const PACKAGE_FOLDER = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/

export async function bundle(dist: string): Promise<void> {
  await init
  for (const path of globSync('**/*.js', { cwd: dist })) redirect(dist, path)
  const folders = await writeVendor(dist)
  writeFileSync(join(dist, 'vendor/LICENSES.md'), `# Licenses\n\n${folders.map(noticeOf).join('\n')}`)
}

/** Replaces the specifiers of bundled packages and changes nothing else. */
function redirect(dist: string, path: string): void {
  const file = join(dist, path)
  const text = readFileSync(file, 'utf8')
  let rewritten = text
  // From the end: the positions before a replacement stay valid.
  for (const { n: specifier, s: start, e: end, d: dynamic } of parse(text, path)[0].toReversed()) {
    if (specifier === undefined || !isBundled(specifier, path)) continue
    const target = relative(dirname(path), `vendor/${specifier}.js`)
    const quote = dynamic === -1 ? '' : "'"
    rewritten = `${rewritten.slice(0, start)}${quote}${target}${quote}${rewritten.slice(end)}`
  }
  if (rewritten !== text) writeFileSync(file, rewritten)
}

function isBundled(specifier: string, path: string): boolean {
  if (BUNDLED.includes(specifier as (typeof BUNDLED)[number])) return true
  const [name = ''] = PACKAGE.exec(specifier) ?? []
  if (!specifier.startsWith('.') && !isBuiltin(specifier) && !(name in INSTALLED))
    throw new Error(`${path} imports ${specifier}, which is neither a dependency nor bundled`)
  return false
}

/** Code that packages share is in chunks. Returns the folder of every package that was bundled, also as a dependency. */
async function writeVendor(dist: string): Promise<string[]> {
  const { metafile } = await build({
    entryPoints: BUNDLED.map((name) => ({ in: name, out: name })),
    absWorkingDir: ROOT,
    outdir: join(dist, 'vendor'),
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    // esbuild keeps the named exports of ES modules only.
    mainFields: ['module', 'main'],
    target: 'node22.12',
    metafile: true,
  })
  const folders = Object.keys(metafile.inputs).map((path) => PACKAGE_FOLDER.exec(path)?.[0] as string)
  return [...new Set(folders)].toSorted()
}

/** MIT and ISC require the notice in every copy. */
function noticeOf(folder: string): string {
  const { name, version } = JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8'))
  const file = readdirSync(join(ROOT, folder)).find((each) => /^licen[cs]e/i.test(each))
  if (file === undefined) throw new Error(`${name} has no license file`)
  const text = readFileSync(join(ROOT, folder, file), 'utf8').trim()
  return `## ${name} ${version}\n\n\`\`\`\n${text}\n\`\`\`\n`
}

if (import.meta.main) await bundle(resolve(process.argv[2] ?? join(ROOT, 'dist')))
