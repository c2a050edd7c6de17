/** Addresses as limits count them. */

/** Longer than any address; what a header claims may be anything. */
const MAX_LENGTH = 64

/** One subscriber has 2^64 addresses of IPv6: what they have in common counts, which is the first half. */
export function networkOf(address: string): string {
  const plain = address.slice(0, MAX_LENGTH).replace(/^::ffff:(?=\d+\.)/i, '')
  if (!plain.includes(':')) return plain
  const [head = [], tail = []] = plain.split('::').map((part) => part.split(':').filter(Boolean))
  const zeros = Array<string>(Math.max(0, 8 - head.length - tail.length)).fill('0')
  const half = [...head, ...zeros, ...tail].slice(0, 4)
  return `${half.map((group) => group.replace(/^0+(?=.)/, '').toLowerCase()).join(':')}::/64`
}
