import { describeFramework } from './framework.ts'

describeFramework({
  title: 'Bun',
  folder: 'elysia',
  recipe: 'server.ts',
  start: (_, preload) => ['bun', ...preload, preload.length > 0 ? 'read.server.ts' : 'server.ts'],
  takesPipelines: false,
})
