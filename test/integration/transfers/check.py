"""Reads through librdkafka, committed records only, what became of transfers, while workers die and afterwards.

Knows nothing of Millrace: what is right follows from the transfers alone. Two legs of a transfer are booked by different
tasks, so a look at all partitions may show one leg without the other; but once the sub-topology that books has committed offsets
beyond everything that lay before it at that look, the other leg must be there.

    check.py '{"brokers": ..., "transfers": ..., "between": ..., "balances": ..., "group": ...}'

Every line on standard input asks for something: `look` for a look at what is booked, answered when it is settled;
`end` for the verdict on all that was written. Answers are lines of JSON; every count under "wrong" must be 0.
"""

import json
import sys
import time

from confluent_kafka import OFFSET_BEGINNING, Consumer, ConsumerGroupTopicPartitions, KafkaError, TopicPartition
from confluent_kafka.admin import AdminClient

PATIENCE = 120


class Avro:
    """Strings and longs one after another, behind the five bytes of a schema's id."""

    def __init__(self, data):
        self.data, self.at = data, 5

    def long(self):
        shift = number = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return (number >> 1) ^ -(number & 1)

    def string(self):
        length = self.long()
        self.at += length
        return self.data[self.at - length : self.at].decode()


def transfer_of(data):
    fields = Avro(data)
    return fields.long(), fields.string(), fields.string(), fields.long()


def balance_of(data):
    fields = Avro(data)
    return fields.string(), fields.long(), fields.long(), fields.long()


class Follower:
    """Reads a topic on and on; knows how far committed readers can see."""

    def __init__(self, brokers, topic):
        settings = {'bootstrap.servers': brokers, 'group.id': 'unused', 'enable.auto.commit': False}
        self.topic = topic
        self.consumer = Consumer({**settings, 'isolation.level': 'read_committed', 'enable.partition.eof': True})
        self.ends = Consumer({**settings, 'isolation.level': 'read_uncommitted'})
        partitions = sorted(self.consumer.list_topics(topic, 20).topics[topic].partitions)
        self.consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in partitions])
        self.partitions = partitions
        self.seen = dict.fromkeys(partitions, 0)

    def high_watermarks(self):
        """Ends of the log, whether committed or not."""
        return {p: self.ends.get_watermark_offsets(TopicPartition(self.topic, p), 20)[1] for p in self.partitions}

    def read_to(self, targets):
        """Yields what is committed until that reaches the targets."""
        until = time.monotonic() + PATIENCE
        while any(self.seen[p] < targets[p] for p in self.partitions):
            if time.monotonic() > until:
                raise Exception(f'{self.topic} is read to {self.seen}, not to {targets}')
            for message in self.consumer.consume(5000, 0.1):
                if message.error():
                    # At the end of what is committed; its offset is where committed readers wait.
                    if message.error().code() != KafkaError._PARTITION_EOF:
                        raise Exception(message.error())
                else:
                    yield message
                self.seen[message.partition()] = max(
                    self.seen[message.partition()], message.offset() + (0 if message.error() else 1))


class Checker:
    def __init__(self, names):
        self.names = names
        self.balances = Follower(names['brokers'], names['balances'])
        self.between = Follower(names['brokers'], names['between'])
        self.admin = AdminClient({'bootstrap.servers': names['brokers']})
        self.legs, self.accounts = {}, {}
        self.wrong = {'miscounted': 0, 'oneLeg': 0, 'lost': 0, 'doubled': 0, 'strange': 0, 'total': 0}

    def committed(self):
        asked = ConsumerGroupTopicPartitions(self.names['group'])
        found = next(iter(self.admin.list_consumer_group_offsets([asked]).values())).result()
        return {each.partition: each.offset for each in found.topic_partitions if each.topic == self.names['between']}

    def read_balances(self):
        """All that is booked by now, in the order of each partition: every balance follows from the one before."""
        for message in self.balances.read_to(self.balances.high_watermarks()):
            account, balance, transfer, amount = balance_of(message.value())
            self.wrong['miscounted'] += balance != self.accounts.get(account, 0) + amount
            self.wrong['strange'] += message.key().decode() != account
            self.accounts[account] = balance
            self.legs.setdefault(transfer, []).append((account, amount))

    def look(self):
        self.read_balances()
        single = [transfer for transfer, legs in self.legs.items() if len(legs) == 1]
        passed = self.between.high_watermarks()
        until = time.monotonic() + PATIENCE
        while not all(self.committed().get(p, -1) >= end for p, end in passed.items()):
            if time.monotonic() > until:
                raise Exception(f'the group has come to {self.committed()}, not to {passed}')
            time.sleep(0.1)
        self.read_balances()
        self.wrong['oneLeg'] += sum(len(self.legs[transfer]) != 2 for transfer in single)
        return {'booked': len(self.legs), 'single': len(single), 'wrong': self.wrong}

    def end(self):
        source = Follower(self.names['brokers'], self.names['transfers'])
        expected = {}
        for message in source.read_to(source.high_watermarks()):
            transfer, payer, payee, amount = transfer_of(message.value())
            expected[transfer] = sorted([(payer, -amount), (payee, amount)])
        self.read_balances()
        for transfer, legs in expected.items():
            found = sorted(self.legs.pop(transfer, []))
            self.wrong['lost'] += len(found) < 2
            self.wrong['doubled'] += len(found) > 2
            self.wrong['strange'] += len(found) == 2 and found != legs
        self.wrong['strange'] += len(self.legs)
        self.wrong['total'] = sum(self.accounts.values())
        return {'transfers': len(expected), 'accounts': self.accounts, 'wrong': self.wrong}


def main():
    checker = Checker(json.loads(sys.argv[1]))
    for line in sys.stdin:
        answer = checker.look() if line.strip() == 'look' else checker.end()
        print(json.dumps(answer), flush=True)


main()
