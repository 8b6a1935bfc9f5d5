/** What to do with the starter, in order: printed after `millrace init`, listed in the guide, and run by the tests. */
export const nextSteps = [
  'millrace check payments.ts',
  'millrace produce payments.v1 --schema schemas/payment.v1.avsc --time paidAt < data/payments.ndjson',
  'millrace produce reviews.v1 --schema schemas/review.v1.avsc --time reviewedAt < data/reviews.ndjson',
  'millrace run payments.ts --until-end',
  `millrace query "SELECT toDate(eventTime) AS day, round(value, 3) AS rocAuc FROM metrics WHERE name = 'roc_auc' ORDER BY day"`,
  'millrace tail payments.dead --schema schemas/payment.v1.avsc --limit 3',
] as const;
