import { describe, expect, it } from 'vitest'
import type { Payload } from '../src/clerk/payloads.ts'
import { get, getJson, idsOf } from '../test/testing/backend-api.ts'
import { startSyntheticBackendApi, syntheticUser } from './synthetic-users.ts'

describe('synthetic users', () => {
  const users = async (query: string) => {
    await using api = await startSyntheticBackendApi(1_000_000)
    return await getJson<Payload[]>(api, `/users?${query}`)
  }
  const range = (first: number, size: number) =>
    Array.from({ length: size }, (_, place) => syntheticUser(first + place).id)

  it('are a million without being held', async () => {
    await using api = await startSyntheticBackendApi(1_000_000)
    expect(await getJson(api, '/users/count')).toEqual({ object: 'total_count', total_count: 1_000_000 })
    expect((await getJson<Payload[]>(api, '/users?limit=500')).length).toBe(500)
    expect(await getJson(api, `/users/${syntheticUser(999_999).id}`)).toEqual(syntheticUser(999_999))
    expect((await get(api, '/users/user_unknown')).status).toBe(404)
    expect((await getJson<{ total_count: number }>(api, '/organizations')).total_count).toBe(0)
  })

  it.each([
    ['order_by=created_at', range(0, 10)],
    ['order_by=created_at&offset=7&limit=3', range(7, 3)],
    ['limit=3', range(999_997, 3).toReversed()],
    [`order_by=created_at&starting_after=${syntheticUser(41).id}&limit=2`, range(42, 2)],
    [`starting_after=${syntheticUser(41).id}&limit=2`, range(39, 2).toReversed()],
    [`starting_after=${syntheticUser(1).id}`, range(0, 1)],
    [`starting_after=${syntheticUser(0).id}`, []],
    [`order_by=created_at&starting_after=${syntheticUser(999_999).id}`, []],
    [
      `order_by=created_at&user_id=${syntheticUser(5).id}&user_id[]=${syntheticUser(3).id}&user_id=user_x`,
      [3, 5].flatMap((index) => range(index, 1)),
    ],
    [
      `order_by=created_at&created_at_after=${syntheticUser(4).created_at}&created_at_before=${syntheticUser(7).created_at}`,
      range(5, 2),
    ],
    [
      `order_by=created_at&created_at_after=${syntheticUser(4).created_at}&starting_after=${syntheticUser(6).id}&limit=2`,
      range(7, 2),
    ],
  ])('page as the others do: %s', async (query, ids) => {
    expect(idsOf(await users(query))).toEqual(ids)
  })

  it('follow their rule', () => {
    const [first, second] = [syntheticUser(0), syntheticUser(1)]
    expect(second.created_at).toBe(Number(first.created_at) + 1_000)
    expect(second.updated_at).toBeGreaterThan(Number(second.created_at))
    expect(second.email_addresses?.[0]?.id).toBe(second.primary_email_address_id)
    expect(second.id).toMatch(/^user_\w{27}$/)
  })
})
