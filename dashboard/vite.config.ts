/** How the dashboard's browser half is built: one page, one script, one style sheet, no request to anybody else. */

import { defineConfig } from 'vite'

export default defineConfig({
  root: import.meta.dirname,
  // Relative to `<base>`: the path of the dashboard is known at run time only.
  base: './',
  publicDir: false,
  html: { cspNonce: '{{nonce}}' },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    target: ['chrome123', 'firefox120', 'safari17.5'],
    assetsInlineLimit: 0,
    modulePreload: false,
    reportCompressedSize: false,
    license: false,
  },
})
