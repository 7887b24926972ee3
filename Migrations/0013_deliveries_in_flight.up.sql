-- How many deliveries of an endpoint are under way is asked at every claim: with the time in the index it is answered
-- from there, also in a table that nobody has analysed yet. The old one goes first: that waits for the claims that run, and
-- holds up those that come, where the other order could end in a deadlock with them.
DROP INDEX webhook_deliveries_claimed;
CREATE INDEX webhook_deliveries_in_flight ON webhook_deliveries (endpoint, due_at) WHERE claim IS NOT NULL;
