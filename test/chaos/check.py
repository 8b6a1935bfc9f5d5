"""Reads what workers wrote and compares it with what the inputs say: topics through librdkafka (committed records only),
hashes through Redis's own protocol, tables over plain HTTP.

Knows nothing of Millrace: what is right follows from the topic of clicks alone, and from the output of a run that
nobody disturbed. Prints one JSON object of counts; every count under "wrong" must be 0.

    check.py BROKERS '{"clicks": ..., "scored": ..., "dead": ..., "windows": ..., "changelog": ..., "reference": ..., "stores": ...}'
"""

import base64
import json
import pathlib
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

RESTS = 13
OPEN_MS = 10_000
FIELDS = ('n', 'key', 'nth', 'count', 'probability', 'model', 'forest')


def read_committed(brokers, topic):
    consumer = Consumer({
        'bootstrap.servers': brokers,
        'group.id': 'unused',
        'isolation.level': 'read_committed',
        'enable.partition.eof': True,
        'enable.auto.commit': False,
        'fetch.message.max.bytes': 33554432,
    })
    partitions = sorted(consumer.list_topics(topic, 60).topics[topic].partitions)
    consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in partitions])
    left, found = set(partitions), {partition: [] for partition in partitions}
    heard = time.monotonic()
    while left:
        messages = consumer.consume(5000, 0.2)
        if messages:
            heard = time.monotonic()
        elif time.monotonic() > heard + 120:
            raise Exception(f'nothing came of {topic} for two minutes')
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


class Redis:
    """As much of a client as it takes to read hashes."""

    def __init__(self, url):
        address = urllib.parse.urlparse(url)
        self.socket = socket.create_connection((address.hostname, address.port), 120)
        self.answers = self.socket.makefile('rb')

    def call(self, *commands):
        sent = b''
        for command in commands:
            words = [str(word).encode() for word in command]
            sent += b'*%d\r\n' % len(words) + b''.join(b'$%d\r\n%s\r\n' % (len(word), word) for word in words)
        self.socket.sendall(sent)
        return [self.answer() for _ in commands]

    def answer(self):
        line = self.answers.readline()
        kind, rest = line[:1], line[1:-2]
        if kind == b'*':
            return [self.answer() for _ in range(int(rest))]
        if kind == b'$':
            return None if rest == b'-1' else self.answers.read(int(rest) + 2)[:-2].decode()
        if kind in b'+:':
            return rest.decode()
        raise Exception(f'Redis says {line}')

    def keys(self, pattern):
        found, cursor = set(), '0'
        while True:
            (cursor, keys), = self.call(('SCAN', cursor, 'MATCH', pattern, 'COUNT', 5000))
            found.update(keys)
            if cursor == '0':
                return found

    def hashes(self, pattern):
        keys = sorted(self.keys(pattern))
        found = {}
        for start in range(0, len(keys), 1000):
            part = keys[start:start + 1000]
            for key, flat in zip(part, self.call(*(('HGETALL', key) for key in part))):
                found[key] = dict(zip(flat[::2], flat[1::2]))
        return found


def rows_of(url, sql):
    query = f'{sql} FORMAT JSONEachRow SETTINGS output_format_json_quote_64bit_integers = 0'
    where = urllib.parse.urlsplit(url)
    credentials = base64.b64encode(f'{where.username or ""}:{where.password or ""}'.encode()).decode()
    headers = {'Authorization': f'Basic {credentials}'}
    request = urllib.request.Request(f'{where.scheme}://{where.hostname}:{where.port}/', query.encode(), headers)
    with urllib.request.urlopen(request, timeout=300) as answer:
        return [json.loads(line) for line in answer if line.strip()]


def postgres_rows(url, table):
    # With `to_json`, a floating-point number is the shortest text that reads back as the same number.
    copy = f'COPY (SELECT row_to_json(t) FROM (SELECT {", ".join(FIELDS)} FROM {table}) t) TO STDOUT'
    out = subprocess.run(['psql', url, '-XAtq', '-c', copy], check=True, capture_output=True).stdout
    return [json.loads(line) for line in out.splitlines()]


def rows_in_files(folder):
    files = sorted(path for path in pathlib.Path(folder).glob('part-*'))
    return [json.loads(line) for path in files for line in path.read_text().splitlines()]


def same_hash(fields, out):
    """A hash holds text: numbers are compared as the numbers that they spell."""
    return fields.keys() == set(FIELDS) and all(
        fields[name] == out[name] if isinstance(out[name], str) else float(fields[name]) == out[name]
        for name in FIELDS
    )


def check_windows(written, events, wrong):
    """Counts and sums of each second and rest, against the clicks; those of the last seconds may still be open."""
    right, newest_ms = {}, max(event['atMs'] for event in events)
    for event in events:
        start = event['atMs'] // 1000 * 1000
        row = right.setdefault((event['n'] % RESTS, start), {'clicks': 0, 'n': 0, 'counts': 0})
        row['clicks'] += 1
        row['n'] += event['n']
        row['counts'] += event['nth']
    rows = [json.loads(value) for records in written.values() for _, value in records]
    found = {(row['key'], row['startMs']): {name: row[name] for name in ('clicks', 'n', 'counts')} for row in rows}
    closed = {where for where in right if where[1] < newest_ms - OPEN_MS}
    wrong['windowsLost'] = len(closed - found.keys())
    wrong['windowsStrange'] = len(found.keys() - right.keys())
    wrong['windowsDoubled'] = len(rows) - len(found)
    wrong['windowsDiffer'] = sum(found[where] != right[where] for where in found.keys() & right.keys())
    return {'windows': len(rows)}


def check_stores(stores, outs, wrong):
    """`outs` are the values of the output topic, which is compared with the inputs elsewhere."""
    redis = Redis(stores['redis'])
    prefix = stores['hashes']
    each = redis.hashes(f'{prefix}:click:*')
    expected = {f'{prefix}:click:{n}': out for n, out in outs.items()}
    wrong['hashesLost'] = len(expected.keys() - each.keys())
    wrong['hashesStrange'] = len(each.keys() - expected.keys())
    wrong['hashesDiffer'] = sum(not same_hash(each[key], expected[key]) for key in each.keys() & expected.keys())
    last = {}
    for out in outs.values():
        if out['count'] > last.get(out['key'], {'count': 0})['count']:
            last[out['key']] = out
    kept = redis.hashes(f'{prefix}:newest:*')
    wanted = {f'{prefix}:newest:{key}': out for key, out in last.items()}
    wrong['newestDiffer'] = len(kept.keys() ^ wanted.keys()) + sum(
        not same_hash(kept[key], wanted[key]) for key in kept.keys() & wanted.keys())

    def in_clickhouse(table):
        return rows_of(stores['clickhouse'], f"SELECT {', '.join(FIELDS)} FROM {table}")

    written = {
        'rows': in_clickhouse(stores['table']),
        'onceRows': in_clickhouse(stores['onceTable']),
        'onceStored': in_clickhouse(stores['onceTable'] + '_rows'),
    }
    if stores.get('more'):
        written['postgres'] = postgres_rows(stores['postgres'], stores['more']['postgresTable'])
        written['files'] = rows_in_files(stores['more']['folder'])
    for name, rows in written.items():
        found = {row['n']: row for row in rows}
        wrong[f'{name}Lost'] = len(outs.keys() - found.keys())
        wrong[f'{name}Strange'] = len(found.keys() - outs.keys())
        wrong[f'{name}Doubled'] = len(rows) - len(found)
        wrong[f'{name}Differ'] = sum(found[n] != outs[n] for n in found.keys() & outs.keys())
    counts = {name: len(rows) for name, rows in written.items()}
    return {'hashes': len(each), 'newest': len(kept), **counts}


def main():
    brokers, names = sys.argv[1], json.loads(sys.argv[2])
    clicks = read_committed(brokers, names['clicks'])
    scored = read_committed(brokers, names['scored'])
    wrong = dict.fromkeys(
        ['lost', 'doubled', 'strange', 'outOfOrder', 'miscounted', 'differs', 'bucketsDiffer', 'clicksDoubled'], 0)
    records, outs, poisoned, all_events = 0, {}, {}, []
    for partition, expected in clicks.items():
        events = [json.loads(value) for _, value in expected if value.startswith(b'{')]
        poisoned[partition] = [record for record in expected if not record[1].startswith(b'{')]
        all_events += events
        records += len(expected)
        wrong['clicksDoubled'] += len(expected) - len({value for _, value in expected})
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
            outs[out['n']] = out
            wrong['miscounted'] += out['count'] != right[out['n']] or key.decode() != out['key']
            wrong['outOfOrder'] += out['count'] != last.get(out['key'], 0) + 1
            last[out['key']] = out['count']
        wrong['lost'] += len(right.keys() - seen)
    compared = {'records': records, 'predictions': 0, 'buckets': 0}
    dead = read_committed(brokers, names['dead'])
    compared['deadLetters'] = sum(len(letters) for letters in dead.values())
    # Key and bytes as they came, in the order of the input: nothing lost, doubled or out of order where that is so.
    wrong['deadLettersDiffer'] = sum(dead[partition] != expected for partition, expected in poisoned.items())
    if names.get('reference'):
        reference = read_committed(brokers, names['reference'])
        for partition, expected in reference.items():
            actual = scored[partition]
            compared['predictions'] += len(expected)
            wrong['differs'] += abs(len(expected) - len(actual)) + sum(a != b for a, b in zip(expected, actual))
        ours = read_committed(brokers, names['changelog'])
        theirs = read_committed(brokers, names['referenceChangelog'])
        for partition in theirs:
            # Of the checkpoint itself only the number of epochs and the topics' names may differ. Rows that the last
            # epoch kept for a sink are as many as that epoch had; a bounded run, as the reference is, keeps them for all.
            a, b = (
                {
                    key: value
                    for key, value in newest(state.get(partition, [])).items()
                    if key != b'checkpoint' and b'/rows/' not in key
                }
                for state in (ours, theirs)
            )
            compared['buckets'] += len(b)
            differing = [key for key in a.keys() | b.keys() if a.get(key) != b.get(key)]
            wrong['bucketsDiffer'] += len(differing)
            for key in sorted(differing):
                print(f'partition {partition}, {key}: {a.get(key)!r:.300} instead of {b.get(key)!r:.300}', file=sys.stderr)
    if names.get('windows'):
        compared.update(check_windows(read_committed(brokers, names['windows']), all_events, wrong))
    if names.get('stores'):
        compared.update(check_stores(names['stores'], outs, wrong))
    print(json.dumps({'compared': compared, 'wrong': wrong}))


main()
