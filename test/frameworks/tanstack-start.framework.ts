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
