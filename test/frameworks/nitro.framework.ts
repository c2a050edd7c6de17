import { describeFramework } from './framework.ts'

describeFramework({
  title: 'Nitro',
  folder: 'nitro',
  recipe: 'routes/api/webhooks/clerk.post.ts',
  build: ['nitro', 'build'],
  start: () => ['node', '.output/server/index.mjs'],
  answersMethods: true,
})
