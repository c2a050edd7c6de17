/** Names, metadata, errors and ids are what strangers wrote. All of it is shown, and nothing of it runs. */

import { expect, it } from 'vitest'
import { sampleEvent, signDelivery } from '../../../src/testing/index.ts'
import { PATHS, type Scene } from '../scene.ts'

const CORPUS = [
  '<script>window.ran=1</script>',
  '<img src=x onerror="window.ran=2">',
  '"><svg/onload=window.ran=3>',
  "'-window.ran=4-'",
  'javascript:window.ran=5',
  '</script><script>window.ran=6</script>',
  '{{constructor.constructor("window.ran=7")()}}',
  '<a href="javascript:window.ran=8" autofocus onfocus="window.ran=9">x</a>',
  '<iframe srcdoc="<script>parent.ran=10</script>"></iframe>',
  '\u202e<style>*{background:url(https://evil.example)}</style>',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is meant so
  '`${window.ran=11}`',
  '<math><mtext></form><form><mglyph><style></math><img src onerror=window.ran=12>',
]

export function hostile(scene: () => Scene): void {
  it('renders a corpus of hostile names, metadata, types and errors, and nothing runs', async () => {
    const { stage, page, complaints, secret } = scene()
    const already = complaints.length
    for (const [index, text] of CORPUS.entries()) {
      const event = { ...sampleEvent('user.created'), instance_id: stage.clerk.instanceId }
      Object.assign(event.data, {
        id: `user_hostile${index}`,
        first_name: text,
        last_name: text,
        username: text,
        image_url: text,
        external_id: text,
        public_metadata: { [text]: text, nested: [text] },
      })
      const { body, headers } = signDelivery(event, { secret })
      await stage.sync.receive(body, headers)
      const unknown = signDelivery({ ...event, type: `${text}.created` }, { secret })
      await stage.sync.receive(unknown.body, unknown.headers)
    }
    const addresses = [
      ...PATHS,
      ...CORPUS.map((_, index) => `resources/users/user_hostile${index}`),
      'resources/users/user_hostile0?tab=raw',
      'resources/users/user_hostile1?tab=history',
      `resources/users/${encodeURIComponent(CORPUS[2] as string)}`,
      `events/${encodeURIComponent(CORPUS[1] as string)}`,
      `events?type=${encodeURIComponent(CORPUS[0] as string)}&q=${encodeURIComponent(CORPUS[7] as string)}`,
      `failures?handler=${encodeURIComponent(CORPUS[7] as string)}`,
    ]
    for (const address of addresses) {
      await page.goto(stage.url + address)
      await page.getByRole('main').waitFor()
      await page.waitForLoadState('load')
      expect([address, await page.evaluate(() => (window as { ran?: unknown }).ran)]).toEqual([
        address,
        undefined,
      ])
    }
    await page.goto(`${stage.url}resources/users/user_hostile0`)
    await page.getByRole('button', { name: 'Reveal' }).click()
    await page
      .getByText(CORPUS[0] as string)
      .first()
      .waitFor()
    const links = await page
      .getByRole('link')
      .evaluateAll((all) => all.map((link) => (link as HTMLAnchorElement).protocol))
    expect(links.filter((protocol) => !/^https?:$/.test(protocol))).toEqual([])
    expect(complaints.slice(already)).toEqual([])
  })
}
