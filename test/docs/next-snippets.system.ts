/** The documentation's files of Next.js apps, built as `next build` runs on a machine that has no variable set. */

import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { installPackage } from '../support/built.ts'
import { type CodeBlock, placeOf, readBlocks, root } from './code-blocks.ts'

const run = promisify(execFile)
const NEXT = createRequire(import.meta.url).resolve('next/dist/bin/next')
/** The first line of a block names its file. */
const FILE = /^\/\/ (?:Next\.js: )?((?:app|pages)\/\S+\.tsx?)\n/

const LAYOUT = `export default function Layout({ children }: { children: React.ReactNode }) {
  return <html lang="en"><body>{children}</body></html>
}
`
const CONFIG = `export default { typescript: { ignoreBuildErrors: true }, turbopack: { root: ${JSON.stringify(root)} } }\n`

/** Several pages name the same file, so that each block has a folder of its own. */
function pathOf({ code }: CodeBlock, at: number): string | undefined {
  const [, path] = FILE.exec(code) ?? []
  return path?.replace(/^(app|pages\/api|pages)\//, `$1/block-${at}/`)
}

it('are built without any environment', { timeout: 600_000 }, async () => {
  const folder = await mkdtemp(join(root, 'test/docs/.next-snippets-'))
  try {
    const files = readBlocks().flatMap((block, at) => {
      const path = pathOf(block, at)
      // Routes of React Router are in app/routes.
      return path && block.page !== 'docs/frameworks.md' ? [{ path, block }] : []
    })
    expect(files.map(({ block }) => placeOf(block)).length).toBeGreaterThan(4)
    for (const { path, block } of files) {
      await write(join(folder, path), block.code)
      const [, imported] = /'(\..*clerk-sync\.config)'/.exec(block.code) ?? []
      if (imported) await write(`${join(folder, dirname(path), imported)}.ts`, 'export default {}\n')
    }
    await write(join(folder, 'app/layout.tsx'), LAYOUT)
    await write(join(folder, 'next.config.mjs'), CONFIG)
    await installPackage(join(folder, 'node_modules/clerk-sync'))
    const { PATH, HOME } = process.env
    const env = { PATH, HOME, NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1' } as const
    const { stdout } = await run(process.execPath, [NEXT, 'build', folder], { env })
    for (const { path } of files) {
      const route = path.replace(/^(app|pages)/, '').replace(/(\/route|\/page)?\.tsx?$/, '')
      // ƒ: rendered for each request, so that nothing of the build's machine is in it.
      expect(stdout).toContain(`ƒ ${route}`)
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
}
