import { describeFramework } from './framework.ts'

describeFramework({
  title: 'Elysia on Bun',
  folder: 'elysia',
  recipe: 'src/index.ts',
  start: (_, preload) => ['bun', ...preload, preload.length > 0 ? 'read.ts' : 'src/index.ts'],
  answersMethods: true,
  takesPipelines: false,
})
