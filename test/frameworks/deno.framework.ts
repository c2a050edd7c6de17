import { describeFramework } from './framework.ts'

const ALLOWED = ['--allow-env', '--allow-net', '--allow-read', '--allow-sys']

describeFramework({
  title: 'Deno',
  folder: 'deno',
  recipe: 'main.ts',
  start: (port, preload) => [
    'deno',
    'serve',
    ...ALLOWED,
    '--host',
    '127.0.0.1',
    '--port',
    port,
    preload.length > 0 ? 'read.ts' : 'main.ts',
  ],
})
