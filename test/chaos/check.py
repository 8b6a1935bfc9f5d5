"""Reads through librdkafka, committed records only, what workers wrote, and compares it with what the inputs say.

Knows nothing of Millrace: what is right follows from the topic of clicks alone, and from the output of a run that
nobody disturbed. Prints one JSON object of counts; every count under "wrong" must be 0.

    check.py BROKERS '{"clicks": ..., "scored": ..., "changelog": ..., "reference": ..., "referenceChangelog": ...}'
"""

import json
import sys
import time

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition


def read_committed(brokers, topic):
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
    left, found = set(partitions), {partition: [] for partition in partitions}
    heard = time.monotonic()
    while left:
        messages = consumer.consume(5000, 0.2)
        if messages:
            heard = time.monotonic()
        elif time.monotonic() > heard + 30:
            raise Exception(f'nothing came of {topic} for thirty seconds')
        for message in messages:
            if message.error():
                left.discard(message.partition())
            else:
                found[message.partition()].append((message.key(), message.value()))
    consumer.close()
    return found


def newest(records):
    state = {}
    for key, value in records:
        if value is None:
            state.pop(key, None)
        else:
            state[key] = value
    return state


def main():
    brokers, names = sys.argv[1], json.loads(sys.argv[2])
    clicks = read_committed(brokers, names['clicks'])
    scored = read_committed(brokers, names['scored'])
    wrong = dict.fromkeys(
        ['lost', 'doubled', 'strange', 'outOfOrder', 'miscounted', 'differs', 'bucketsDiffer', 'clicksDoubled'], 0)
    records = 0
    for partition, expected in clicks.items():
        events = [json.loads(value) for _, value in expected]
        records += len(events)
        wrong['clicksDoubled'] += len(events) - len({event['n'] for event in events})
        counts, right = {}, {}
        for event in events:
            counts[event['key']] = counts.get(event['key'], 0) + 1
            right[event['n']] = counts[event['key']]
        seen, last = set(), {}
        for key, value in scored[partition]:
            out = json.loads(value)
            if out['n'] not in right:
                wrong['strange'] += 1
                continue
            wrong['doubled'] += out['n'] in seen
            seen.add(out['n'])
            wrong['miscounted'] += out['count'] != right[out['n']] or key.decode() != out['key']
            wrong['outOfOrder'] += out['count'] != last.get(out['key'], 0) + 1
            last[out['key']] = out['count']
        wrong['lost'] += len(right.keys() - seen)
    compared = {'records': records, 'predictions': 0, 'buckets': 0}
    if names.get('reference'):
        reference = read_committed(brokers, names['reference'])
        for partition, expected in reference.items():
            actual = scored[partition]
            compared['predictions'] += len(expected)
            wrong['differs'] += abs(len(expected) - len(actual)) + sum(a != b for a, b in zip(expected, actual))
        ours = read_committed(brokers, names['changelog'])
        theirs = read_committed(brokers, names['referenceChangelog'])
        for partition in theirs:
            # Of the checkpoint itself only the number of epochs and the topics' names may differ.
            a, b = (
                {key: value for key, value in newest(state.get(partition, [])).items() if key != b'checkpoint'}
                for state in (ours, theirs)
            )
            compared['buckets'] += len(b)
            differing = [key for key in a.keys() | b.keys() if a.get(key) != b.get(key)]
            wrong['bucketsDiffer'] += len(differing)
    print(json.dumps({'compared': compared, 'wrong': wrong}))


main()
