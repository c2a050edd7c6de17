/** A real Chromium, and what tests do with it again and again. */

import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { TOKEN } from './stage.ts'

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export function launch(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, args: FLAGS })
}

/** Signs in with the token, as people do. */
export async function signIn(page: Page, url: string): Promise<void> {
  await page.goto(url)
  await page.getByLabel('Dashboard token').fill(TOKEN)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('navigation', { name: 'Pages' }).waitFor()
}

/** What a page complained about: scripts that failed, what the policy refused, requests to others. */
export function complaintsOf(context: BrowserContext, origin: string): string[] {
  const complaints: string[] = []
  context.on('page', (page) => {
    page.on('pageerror', (error) => complaints.push(`error: ${error.message}`))
    page.on('dialog', (dialog) => {
      complaints.push(`dialog: ${dialog.message()}`)
      void dialog.dismiss()
    })
    page.on('console', (message) => {
      const isRefusal = /Content Security Policy|Refused to/.test(message.text())
      if (isRefusal) complaints.push(`policy: ${message.text()}`)
    })
    page.on('request', (request) => {
      const isOwn = request.url().startsWith(origin) || request.url().startsWith('blob:')
      if (!isOwn) complaints.push(`request: ${request.url()}`)
    })
  })
  return complaints
}
