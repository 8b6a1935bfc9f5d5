"""A client written by others: Confluent's serializers over librdkafka, and classes made by protoc.

Reads JSON objects from the standard input, one a line, does what each says, and prints one JSON object for each. What JSON
has no type for is an object with one key: {"$int": "..."}, {"$decimal": "..."}, {"$time": milliseconds}, {"$bytes": base64}.
"""

import base64
import datetime
import decimal
import functools
import importlib
import json
import subprocess
import sys
import tempfile

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.serialization import MessageField, SerializationContext

UTC = datetime.timezone.utc


def untagged(value):
    if isinstance(value, list):
        return [untagged(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        [(tag, text)] = value.items()
        if tag == "$int":
            return int(text)
        if tag == "$decimal":
            return decimal.Decimal(text)
        if tag == "$time":
            return datetime.datetime.fromtimestamp(text / 1000, UTC)
        if tag == "$bytes":
            return base64.b64decode(text)
    return {key: untagged(item) for key, item in value.items()}


def tagged(value):
    if isinstance(value, (list, tuple)):
        return [tagged(item) for item in value]
    if isinstance(value, dict):
        return {key: tagged(item) for key, item in value.items()}
    if isinstance(value, decimal.Decimal):
        return {"$decimal": str(value)}
    if isinstance(value, datetime.datetime):
        return {"$time": round(value.timestamp() * 1000)}
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**53:
        return {"$int": str(value)}
    return value


@functools.cache
def made_by_protoc(text, message):
    """The class of a message, made by protoc from the text of its file."""
    folder = tempfile.mkdtemp()
    with open(f"{folder}/made.proto", "w", encoding="utf-8") as file:
        file.write(text)
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{folder}", f"--python_out={folder}", "made.proto"]
    subprocess.run(command, check=True)
    sys.path.insert(0, folder)
    return getattr(importlib.import_module("made_pb2"), message)


def serde(task, client):
    """How values become bytes and back, in the format and under the schema of the task."""
    schema = task["schema"]
    name = task["format"]
    if name == "avro":
        from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer

        writer = AvroSerializer(client, schema) if task["op"] == "write" else None
        reader = AvroDeserializer(client, schema)
        return (lambda value, context: writer(untagged(value), context)), (
            lambda data, context: tagged(reader(data, context))
        )
    if name == "json-schema":
        from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer

        writer = JSONSerializer(schema, client) if task["op"] == "write" else None
        reader = JSONDeserializer(schema)
        return (lambda value, context: writer(value, context)), (lambda data, context: reader(data, context))

    from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
    from google.protobuf.json_format import MessageToDict, ParseDict

    made = made_by_protoc(schema, task["message"])
    how = {"use.deprecated.format": False}
    writer = ProtobufSerializer(made, client, how) if task["op"] == "write" else None
    reader = ProtobufDeserializer(made, how)
    return (lambda value, context: writer(ParseDict(value, made()), context)), (
        lambda data, context: MessageToDict(reader(data, context))
    )


def write(task, encode):
    producer = Producer({"bootstrap.servers": task["kafka"]})
    context = SerializationContext(task["topic"], MessageField.VALUE)
    for value in task["values"]:
        producer.produce(task["topic"], value=encode(value, context), partition=0)
    producer.flush()
    return {"written": len(task["values"])}


def read(task, decode):
    consumer = Consumer({"bootstrap.servers": task["kafka"], "group.id": "foreign", "isolation.level": "read_committed"})
    consumer.assign([TopicPartition(task["topic"], 0, 0)])
    context = SerializationContext(task["topic"], MessageField.VALUE)
    values = []
    while len(values) < task["count"]:
        message = consumer.poll(20)
        if message is None:
            raise RuntimeError(f"only {len(values)} records came")
        if message.error():
            raise RuntimeError(str(message.error()))
        values.append(decode(message.value(), context))
    consumer.close()
    return {"values": values}


def main():
    # Protobuf knows one class of a name in a process, so that each version of a file has a process of its own.
    serdes = {}
    for line in sys.stdin:
        task = json.loads(line)
        key = (task["op"], task["format"], task["schema"])
        if key not in serdes:
            serdes[key] = serde(task, SchemaRegistryClient({"url": task["registry"]}))
        encode, decode = serdes[key]
        answer = write(task, encode) if task["op"] == "write" else read(task, decode)
        print(json.dumps(answer), flush=True)


main()
