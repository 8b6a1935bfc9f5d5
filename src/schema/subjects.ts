/**
 * Names of subjects in a registry, by Confluent's three strategies: one schema per topic, per record type, or per record type and
 * topic.
 *
 * @example
 * avro<FlightDeparted>({ subject: subjects.topic('flights.departed.v1'), ... }); // flights.departed.v1-value
 * avro<FlightDeparted>({ subject: subjects.record('millrace.flights.v1.FlightDeparted'), ... });
 * avro<FlightDeparted>({ subject: subjects.topicRecord('flights', 'millrace.flights.v1.FlightDeparted'), ... });
 */
export const subjects = Object.freeze({
  topic: (topic: string): string => `${topic}-value`,
  record: (fullName: string): string => fullName,
  topicRecord: (topic: string, fullName: string): string => `${topic}-${fullName}`,
});
