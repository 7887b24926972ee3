DROP INDEX webhook_deliveries_in_flight;
CREATE INDEX webhook_deliveries_claimed ON webhook_deliveries (endpoint) WHERE claim IS NOT NULL;
