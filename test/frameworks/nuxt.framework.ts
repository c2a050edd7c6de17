import { describeFramework } from './framework.ts'

describeFramework({
  title: 'Nuxt',
  folder: 'nuxt',
  recipe: 'server/api/webhooks/clerk.post.ts',
  build: ['nuxt', 'build'],
  start: () => ['node', '.output/server/index.mjs'],
  answersMethods: true,
  // What readBody has read, toWebRequest gives again.
  keepsBodies: true,
})
