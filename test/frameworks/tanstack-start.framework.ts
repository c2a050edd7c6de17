import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { describeFramework } from './framework.ts'

describeFramework({
  title: 'TanStack Start',
  folder: 'tanstack-start',
  recipe: 'src/routes/api/webhooks/clerk.ts',
  build: ['vite', 'build'],
  start: (port) => [
    'srvx',
    '--prod',
    '--port',
    port,
    '--host',
    '127.0.0.1',
    '-s',
    '../client',
    'dist/server/server.js',
  ],
  answersMethods: true,
})

it('compiles with the types that the build has generated', async () => {
  const project = fileURLToPath(new URL('tanstack-start', import.meta.url))
  const tsc = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url))
  await expect(promisify(execFile)(process.execPath, [tsc, '-p', project])).resolves.toMatchObject({
    stdout: '',
  })
})
