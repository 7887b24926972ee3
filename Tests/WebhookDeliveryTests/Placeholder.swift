enum WebhookDeliveryTestsPlaceholder {}
