/**
 * Ids as Clerk and Svix make them: 27 base62 digits of a time and 128 random bits, so that they sort by age.
 * https://github.com/segmentio/ksuid
 */

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const LENGTH = 27
/** Seconds since 1970 from which KSUIDs count, so that 32 bits last until 2150. */
const EPOCH = 1_400_000_000

/** @param random 16 bytes */
export function ksuid(at: number, random: Uint8Array): string {
  const seconds = Math.max(0, Math.floor(at / 1000) - EPOCH)
  let value = (BigInt(seconds) << 128n) | BigInt(`0x${Buffer.from(random).toString('hex')}`)
  let text = ''
  while (text.length < LENGTH) {
    text = DIGITS[Number(value % 62n)] + text
    value /= 62n
  }
  return text
}
