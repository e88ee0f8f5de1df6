-- Why: orders is what people want to hear of. Any other table is watched the same way:
--   SELECT belfry.watch('invoices');
SELECT belfry.watch('orders');
