/** The browser app: served from memory, under any path, and allowed to talk to nobody but this server. */

import { randomBytes } from 'node:crypto'
import { brotliDecompressSync } from 'node:zlib'
import type { Asset } from './asset.ts'

export type Assets = ReadonlyMap<string, Asset>

const DAY_SECONDS = 86_400

/** For every answer of the dashboard. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
}

/** Uncompressed texts, made when a client first wants one. */
const plain = new WeakMap<Asset, Buffer>()

/** A file of the app, or undefined if there is none of that name. */
export function serveAsset(assets: Assets, path: string, request: Request): Response | undefined {
  const asset = assets.get(path)
  if (asset === undefined || path === 'index.html') return undefined
  const etag = `"${asset.hash}"`
  const headers = {
    ...SECURITY_HEADERS,
    'content-type': asset.type,
    etag,
    vary: 'accept-encoding',
    'cache-control': path.includes(asset.hash)
      ? `public, max-age=${365 * DAY_SECONDS}, immutable`
      : 'no-cache',
  }
  if (request.headers.get('if-none-match') === etag) return new Response(null, { status: 304, headers })
  const isBrotli = /\bbr\b/.test(request.headers.get('accept-encoding') ?? '')
  const body = isBrotli ? Buffer.from(asset.brotli, 'base64') : plainOf(asset)
  return new Response(new Uint8Array(body), {
    headers: { ...headers, ...(isBrotli && { 'content-encoding': 'br' }) },
  })
}

/** The page, for every address within the app: it finds its way itself. */
export function servePage(assets: Assets, base: string): Response {
  const index = assets.get('index.html')
  const nonce = randomBytes(16).toString('base64')
  const html = (index ? plainOf(index).toString() : NOT_BUILT)
    .replaceAll('{{nonce}}', nonce)
    .replaceAll('{{base}}', escapeHtml(base))
  return new Response(html, { status: index ? 200 : 503, headers: pageHeaders(nonce) })
}

/** A page that explains why there is no dashboard. */
export function serveProblem(status: number, message: string, remedy: string): Response {
  const html = `<!doctype html><meta charset="utf-8"><title>clerk-sync</title>
<h1>clerk-sync</h1><p>${escapeHtml(message)}</p><p>${escapeHtml(remedy)}</p>`
  return new Response(html, { status, headers: pageHeaders(randomBytes(16).toString('base64')) })
}

const NOT_BUILT = `<!doctype html><meta charset="utf-8"><title>clerk-sync</title>
<h1>clerk-sync</h1><p>The browser app is not built. Run <code>npm run build</code>.</p>`

function pageHeaders(nonce: string): Record<string, string> {
  const policy = [
    `default-src 'none'`,
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    `img-src 'self' data:`,
    `connect-src 'self'`,
    `base-uri 'self'`,
    `form-action 'none'`,
    `frame-ancestors 'none'`,
  ]
  return {
    ...SECURITY_HEADERS,
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policy.join('; '),
    'cache-control': 'no-store',
  }
}

function plainOf(asset: Asset): Buffer {
  const known = plain.get(asset)
  if (known) return known
  const text = brotliDecompressSync(Buffer.from(asset.brotli, 'base64'))
  plain.set(asset, text)
  return text
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
