import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, inject } from 'vitest'
import { describeWithPostgres, dropSchema } from '../support/databases.ts'
import { complaintsOf, launch, signIn } from './browser.ts'
import type { Scene } from './scene.ts'
import { openStage, SIGNING_SECRET, type Stage, TOKEN } from './stage.ts'
import { access } from './stories/access.ts'
import { accessible } from './stories/accessible.ts'
import { data } from './stories/data.ts'
import { emptyInstallation } from './stories/empty.ts'
import { hostile } from './stories/hostile.ts'
import { onCall } from './stories/on-call.ts'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const executable = inject('chromium')
const describeWithChromium = executable === null ? describe.skip : describe

describeWithPostgres('the dashboard in a browser', (database) => {
  describeWithChromium('(needs a Chromium: set TEST_CHROMIUM)', () => {
    const schema = `test_${randomBytes(6).toString('hex')}`
    let stage: Stage
    let browser: Browser
    let scene: Scene

    beforeAll(async () => {
      stage = await openStage({ database, schema })
      browser = await launch(executable as string)
      const context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
      context.setDefaultTimeout(20_000)
      await context.addInitScript({ content: AXE })
      const complaints = complaintsOf(context, new URL(stage.url).origin)
      const page = await context.newPage()
      await signIn(page, stage.url)
      scene = { stage, browser, context, page, complaints, token: TOKEN, secret: SIGNING_SECRET }
    })

    afterAll(async () => {
      await browser?.close()
      await stage?.[Symbol.asyncDispose]()
      await dropSchema(database, schema)
    })

    describe('of an empty installation', () => {
      emptyInstallation(() => scene)
    })
    describe('for whoever is on call', () => {
      onCall(() => scene)
    })
    describe('about the data', () => {
      data(() => scene)
    })
    describe('and who gets in', () => {
      access(() => scene)
    })
    describe('against hostile input', () => {
      hostile(() => scene)
    })
    describe('for everybody', () => {
      accessible(() => scene)
    })

    afterAll(() => {
      expect(scene.complaints.filter((each) => !each.startsWith('request: http://evil.example'))).toEqual([])
    })
  })
})
