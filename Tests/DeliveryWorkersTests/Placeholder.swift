enum DeliveryWorkersTestsPlaceholder {}
