import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { posix, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type DefaultTheme, defineConfig } from 'vitepress'
import { writeLlmsFiles } from './llms.ts'

const docs = fileURLToPath(new URL('..', import.meta.url))
const root = resolve(docs, '..')
const { description, repository } = JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8'))
const repositoryUrl = repository.url.replace(/^git\+|\.git$/g, '')

/** The first heading of a page; its name in the sidebar. */
function titleOf(page: string): string {
  const heading = /^# (.+)$/m.exec(readFileSync(resolve(docs, `${page}.md`), 'utf8'))
  if (!heading) throw new Error(`docs/${page}.md has no heading of the first level`)
  return heading[1].replaceAll('`', '')
}

function group(text: string, pages: readonly string[]): DefaultTheme.SidebarItem {
  return { text, items: pages.map((page) => ({ text: titleOf(page), link: `/${page}` })) }
}

/** The pages of a folder, its index first. */
function folder(text: string, name: string): DefaultTheme.SidebarItem {
  const path = resolve(docs, name)
  const pages = existsSync(path) ? readdirSync(path).filter((file) => file.endsWith('.md')) : []
  const names = pages.map((file) => `${name}/${file.slice(0, -3)}`).toSorted()
  const isIndex = (page: string) => page.endsWith('/README')
  return {
    ...group(text, [...names.filter(isIndex), ...names.filter((page) => !isIndex(page))]),
    collapsed: true,
  }
}

const guides: DefaultTheme.SidebarItem[] = [
  group('Start', ['quick-start', 'frameworks', 'development', 'going-live']),
  group('Use', ['handlers', 'backfill', 'your-tables', 'dashboard', 'testing']),
  group(
    'Operate',
    existing([
      'observability',
      'retention',
      'privacy',
      'upgrading',
      'instances',
      'connections',
      'backup',
      'reliability',
      'scaling',
    ]),
  ),
  folder('Deploy', 'deploy'),
  folder('Runbooks', 'runbooks'),
  group('Reference', existing(['schema', 'clerk', 'troubleshooting', 'json', 'verification', 'agents'])),
  group('Inside', ['architecture', 'decisions']),
]

function existing(pages: readonly string[]): string[] {
  return pages.filter((page) => existsSync(resolve(docs, `${page}.md`)))
}

/** Typedoc writes it together with the pages of the API. */
const api: DefaultTheme.SidebarItem[] = JSON.parse(
  readFileSync(resolve(docs, 'api/typedoc-sidebar.json'), 'utf8'),
)

/** On GitHub a page may link to any file; on the site, what is outside `docs/` is a link to GitHub. */
function toRepository(href: string, page: string): string {
  if (/^(#|\/|[a-z]+:)/i.test(href)) return href
  const target = posix.normalize(posix.join(posix.dirname(page), href))
  return target.startsWith('../') ? `${repositoryUrl}/blob/main/${target.slice(3)}` : href
}

export default defineConfig({
  title: 'clerk-sync',
  description,
  cleanUrls: true,
  lastUpdated: false,
  rewrites: { ':folder/README.md': ':folder/index.md' },
  srcExclude: ['images/**', 'node_modules/**'],
  markdown: {
    config(md) {
      // Pages are Markdown, never Vue templates: `{{…}}` in code stays as it is.
      md.renderer.rules.code_inline = (tokens, index) =>
        `<code v-pre>${md.utils.escapeHtml(tokens[index].content)}</code>`
      const open = md.renderer.rules.link_open
      md.renderer.rules.link_open = (tokens, index, options, env, self) => {
        const token = tokens[index]
        const page = relative(docs, env.path ?? docs)
        token.attrSet('href', toRepository(token.attrGet('href') ?? '', page))
        return open ? open(tokens, index, options, env, self) : self.renderToken(tokens, index, options)
      }
    },
  },
  themeConfig: {
    search: { provider: 'local' },
    nav: [
      { text: 'Guide', link: '/quick-start', activeMatch: '^/(?!api|troubleshooting)' },
      { text: 'API', link: '/api/' },
      { text: 'Errors', link: '/troubleshooting' },
    ],
    sidebar: { '/api/': api, '/': guides },
    outline: [2, 3],
    socialLinks: [{ icon: 'github', link: repositoryUrl }],
    footer: { message: 'Unofficial; not affiliated with Clerk. MIT License.' },
  },
  buildEnd: ({ outDir, pages }) => writeLlmsFiles({ docs, outDir, pages, description, titleOf }),
})
