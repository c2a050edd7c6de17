import { boolean, defineResource, id, identifying, json, personal, text } from '../resource.ts'
import { messageSecrets } from '../secrets.ts'

export const smsMessages = defineResource({
  table: 'sms_messages',
  description: 'A log of the SMS messages that Clerk sent or asked to send. One-time codes are not kept.',
  events: { 'sms.created': 'upsert' },
  createdAt: ['created_at_ms', 'created_at'],
  columns: {
    slug: text(),
    user_id: id(),
    phone_number_id: id(),
    to_phone_number: identifying(text()),
    from_phone_number: text(),
    message: personal(text()),
    status: text(),
    delivered_by_clerk: boolean(),
    data: personal(json()),
  },
  person: { users: { user_id: 'all' }, addresses: { to_phone_number: 'all' } },
  secrets: messageSecrets('message'),
  indexes: ['user_id'],
  forgotten: 'all',
})
