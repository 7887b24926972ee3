/// Keeps the target buildable until its first part is there.
enum DeliveryWorkersPlaceholder {}
