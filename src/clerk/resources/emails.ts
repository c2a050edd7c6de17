import { boolean, defineResource, id, identifying, json, personal, text } from '../resource.ts'
import { messageSecrets } from '../secrets.ts'

export const emails = defineResource({
  table: 'emails',
  description:
    'A log of the e-mails that Clerk sent or asked to send. One-time codes and tickets are not kept.',
  events: { 'email.created': 'upsert' },
  columns: {
    slug: text(),
    user_id: id(),
    email_address_id: id(),
    to_email_address: identifying(text()),
    from_email_name: text(),
    reply_to_email_name: text(),
    subject: personal(text()),
    body: personal(text()),
    body_plain: personal(text()),
    status: text(),
    delivered_by_clerk: boolean(),
    suppression_reason: text(),
    data: personal(json()),
  },
  person: { users: { user_id: 'all' }, addresses: { to_email_address: 'all' } },
  secrets: messageSecrets('subject', 'body', 'body_plain'),
  indexes: ['user_id'],
  forgotten: 'all',
})
