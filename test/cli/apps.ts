/** Apps that `init` is tried in: projects with the built package, and a server of each framework. */

import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BuiltPackage } from '../support/built.ts'

export const MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url))

export type Files = Readonly<Record<string, string>>

/** A project with these files, in which the package is installed. */
export async function createProject(built: BuiltPackage, project: string, files: Files): Promise<string> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(project, path)), { recursive: true })
    await writeFile(join(project, path), text)
  }
  await mkdir(join(project, 'node_modules'))
  for (const module of await readdir(MODULES)) {
    if (!module.startsWith('.')) await symlink(join(MODULES, module), join(project, 'node_modules', module))
  }
  await symlink(built.folder, join(project, 'node_modules/clerk-sync'))
  return project
}

export const manifest = (dependencies: Files, more: object = {}) => JSON.stringify({ dependencies, ...more })
export const TSCONFIG = JSON.stringify({
  compilerOptions: {
    strict: true,
    module: 'nodenext',
    target: 'es2024',
    types: ['node'],
    noEmit: true,
    skipLibCheck: true,
  },
})

/** An app of each framework in TypeScript, with the place where the pasted lines go. */
export const APPS: Readonly<Record<string, (imports: string, mount: string) => string>> = {
  express: (imports, mount) => `import express from 'express'
import type { AddressInfo } from 'node:net'
${imports}
const app = express()
${mount}
app.use(express.json())
const server = app.listen(0, () => console.log('port ' + (server.address() as AddressInfo).port))
`,
  fastify: (imports, mount) => `import fastify from 'fastify'
${imports}
const app = fastify()
${mount}
void app.listen({ port: 0 }).then((address) => console.log('port ' + new URL(address).port))
`,
  hono: (imports, mount) => `import { serve } from '@hono/node-server'
import { Hono } from 'hono'
${imports}
const app = new Hono()
${mount}
serve({ fetch: app.fetch, port: 0 }, ({ port }) => console.log('port ' + port))
`,
  node: (imports, mount) => `import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
${imports}
const server = createServer((request, response) => {
${mount}
response.writeHead(404).end()
})
server.listen(0, () => console.log('port ' + (server.address() as AddressInfo).port))
`,
}
