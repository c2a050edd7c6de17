/** Times and durations for people. */

/** The time of today, the date of earlier days; local. */
export function formatTime(time: Date, now: Date = new Date()): string {
  const [date, clock] = [isoDate(time), isoClock(time)]
  if (date === isoDate(now)) return clock
  const isThisYear = time.getFullYear() === now.getFullYear()
  return isThisYear ? `${date.slice(5)} ${clock.slice(0, 5)}` : date
}

/** Date and time, local, with its offset. */
export function formatExactTime(time: Date): string {
  return `${isoDate(time)} ${isoClock(time)}.${pad(time.getMilliseconds(), 3)} ${offset(time)}`
}

export function formatDuration(milliseconds: number): string {
  if (milliseconds < 1_000) return `${Math.round(milliseconds)}ms`
  if (milliseconds < 60_000) return `${(milliseconds / 1_000).toFixed(1)}s`
  const minutes = Math.floor(milliseconds / 60_000)
  return minutes < 60
    ? `${minutes}m ${Math.floor((milliseconds % 60_000) / 1_000)}s`
    : `${Math.floor(minutes / 60)}h ${minutes % 60}m`
}

function isoDate(time: Date): string {
  return `${time.getFullYear()}-${pad(time.getMonth() + 1)}-${pad(time.getDate())}`
}

function isoClock(time: Date): string {
  return `${pad(time.getHours())}:${pad(time.getMinutes())}:${pad(time.getSeconds())}`
}

function offset(time: Date): string {
  const minutes = -time.getTimezoneOffset()
  const absolute = Math.abs(minutes)
  return `${minutes < 0 ? '-' : '+'}${pad(Math.floor(absolute / 60))}:${pad(absolute % 60)}`
}

function pad(number: number, digits = 2): string {
  return String(number).padStart(digits, '0')
}
