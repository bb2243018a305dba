-- a copy of the database must never talk to the live store
UPDATE commerce_connection
   SET state = 'paused', dry_run = true, pause_kind = 'neutralized', paused_at = now() AT TIME ZONE 'UTC',
       pause_message = 'This database is a copy. The connection is cut off from the store.',
       webhook_key = NULL;
-- nor keep the means to
UPDATE commerce_credential SET storage = 'none', secret = NULL, previous_storage = NULL,
       previous_secret = NULL, previous_until = NULL;
