"""Reads through librdkafka, committed records only, what a soak wrote, and counts.

Knows nothing of Millrace but how a prediction begins: five bytes of framing, then the flight's number as Avro has it.
Flights must be numbered from 0 without gaps. Prints one JSON object.

    check.py BROKERS PREDICTIONS-TOPIC DEAD-LETTERS-TOPIC FLIGHTS
"""

import json
import sys
import time

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition


def committed(brokers, topic):
    consumer = Consumer({
        'bootstrap.servers': brokers,
        'group.id': 'unused',
        'isolation.level': 'read_committed',
        'enable.partition.eof': True,
        'enable.auto.commit': False,
        'fetch.message.max.bytes': 33554432,
    })
    partitions = sorted(consumer.list_topics(topic, 20).topics[topic].partitions)
    consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in partitions])
    left = set(partitions)
    heard = time.monotonic()
    while left:
        messages = consumer.consume(10000, 0.2)
        if messages:
            heard = time.monotonic()
        elif time.monotonic() > heard + 30:
            raise Exception(f'nothing came of {topic} for thirty seconds')
        for message in messages:
            if message.error():
                left.discard(message.partition())
            else:
                yield message.value()
    consumer.close()


def flight_of(value):
    at, shift, number = 5, 0, 0
    while True:
        byte = value[at]
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (number >> 1) ^ -(number & 1)
        at += 1
        shift += 7


def main():
    brokers, predictions, dead, flights = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    seen = bytearray(flights)
    records = doubled = strange = 0
    for value in committed(brokers, predictions):
        records += 1
        flight = flight_of(value)
        if not 0 <= flight < flights:
            strange += 1
        elif seen[flight]:
            doubled += 1
        else:
            seen[flight] = 1
    print(json.dumps({
        'predictions': records,
        'lost': seen.count(0),
        'doubled': doubled,
        'strange': strange,
        'deadLetters': sum(1 for _ in committed(brokers, dead)),
    }))


main()
