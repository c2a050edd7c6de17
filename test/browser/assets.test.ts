import { createHash } from 'node:crypto'
import { brotliDecompressSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { ASSETS } from '../../src/dashboard/assets.ts'

const contentOf = (brotli: string) => brotliDecompressSync(Buffer.from(brotli, 'base64'))
const sizeOf = (ending: string) =>
  [...ASSETS]
    .filter(([path]) => path.endsWith(ending))
    .reduce((sum, [, { brotli }]) => sum + gzipSync(contentOf(brotli), { level: 9 }).length, 0)

const page = contentOf(ASSETS.get('index.html')?.brotli ?? '').toString()

describe('the browser half, as it is inlined', () => {
  it('is at most 60 KB of script and 10 KB of styles, compressed', () => {
    expect(sizeOf('.js')).toBeLessThan(60_000)
    expect(sizeOf('.css')).toBeLessThan(10_000)
    expect(sizeOf('.js')).toBeGreaterThan(10_000)
  })

  it('is at most 90 KB in all', () => {
    expect(sizeOf('')).toBeLessThan(90_000)
  })

  it('is one page, whose files are all there and relative to its base', () => {
    const files = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address as string)
    const [base, ...others] = files
    expect(base).toBe('{{base}}')
    expect(others.length).toBeGreaterThan(2)
    expect(others.map((address) => address.replace('./', '')).filter((path) => !ASSETS.has(path))).toEqual([])
  })

  it('has a nonce on every script and style, and nothing that a strict policy forbids', () => {
    const tags = page.match(/<(?:script|link rel="stylesheet"|style)[^>]*>/g) ?? []
    expect(tags.length).toBeGreaterThan(2)
    expect(tags.filter((tag) => !tag.includes('nonce="{{nonce}}"'))).toEqual([])
    expect(page).not.toMatch(/\son\w+=|style=|javascript:/)
  })

  it('asks nobody but its own server', () => {
    for (const [path, { brotli }] of ASSETS) {
      const addresses =
        contentOf(brotli)
          .toString()
          .match(/https?:\/\/[\w.-]+/g) ?? []
      const known = ['http://www.w3.org', 'https://dashboard.clerk.com']
      expect([path, addresses.filter((address) => !known.includes(address))]).toEqual([path, []])
    }
  })

  it('names each file by its content, so that it can be kept for ever', () => {
    for (const [path, { hash, brotli }] of ASSETS) {
      const isNamed = path.includes(hash)
      const digest = createHash('sha256').update(contentOf(brotli)).digest('hex').slice(0, 8)
      expect([path, isNamed || hash === digest]).toEqual([path, true])
    }
  })
})
