<?php
// A plain stream of PHP's as a peer, with the frames of RFC 6455 written out: what a script does that has no package.

const TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10;

final class Connection
{
    private $stream;

    public function __construct(string $url)
    {
        ['host' => $host, 'port' => $port, 'path' => $path] = parse_url($url);
        $this->stream = stream_socket_client("tcp://$host:$port", $number, $why, 20) ?: throw new Exception($why);
        stream_set_timeout($this->stream, 20);
        $key = base64_encode(random_bytes(16));
        fwrite($this->stream, "GET $path HTTP/1.1\r\nHost: $host:$port\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            . "Sec-WebSocket-Key: $key\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: echo\r\n\r\n");
        for ($head = ''; ($line = fgets($this->stream)) !== false && $line !== "\r\n";) $head .= $line;
        $accept = base64_encode(sha1($key . '258EAFA5-E914-47DA-95CA-C5AB0DC85B11', true));
        if (!str_starts_with($head, 'HTTP/1.1 101 ') || !str_contains($head, $accept)) throw new Exception(trim(strtok($head, "\n")));
    }

    private function exactly(int $size): string
    {
        return $size === 0 ? '' : (string) stream_get_contents($this->stream, $size);
    }

    // [whether it is final, opcode, payload], or null at the end.
    public function read(): ?array
    {
        $start = $this->exactly(2);
        if (strlen($start) < 2) return null;
        $size = ord($start[1]) & 0x7f;
        if ($size === 126) $size = unpack('n', $this->exactly(2))[1];
        elseif ($size === 127) $size = unpack('J', $this->exactly(8))[1];
        return [(ord($start[0]) & 0x80) !== 0, ord($start[0]) & 0x0f, $this->exactly($size)];
    }

    public function write(int $opcode, string $payload, bool $final = true): void
    {
        $size = strlen($payload);
        $length = $size < 126 ? chr(0x80 | $size) : ($size < 65536 ? "\xfe" . pack('n', $size) : "\xff" . pack('J', $size));
        $mask = random_bytes(4);
        $masked = $size === 0 ? '' : $payload ^ substr(str_repeat($mask, intdiv($size, 4) + 1), 0, $size);
        $frame = chr(($final ? 0x80 : 0) | $opcode) . $length . $mask . $masked;
        for ($at = 0; $at < strlen($frame);) {
            $written = fwrite($this->stream, substr($frame, $at, 65536));
            if (!$written) return;
            $at += $written;
        }
    }

    public function cut(): void
    {
        fclose($this->stream);
    }
}

function say(array $what): void
{
    echo json_encode($what), "\n";
}

function converse(Connection $ws): void
{
    [$hash, $fragments, $pongs, $code, $reason, $message, $kind, $closing] = [hash_init('sha256'), 1, 0, 1006, '', '', 0, false];
    while ($frame = $ws->read()) {
        [$final, $opcode, $payload] = $frame;
        if ($opcode === PING) {
            $ws->write(PONG, $payload);
        } elseif ($opcode === PONG) {
            ++$pongs;
        } elseif ($opcode === CLOSE) {
            [$code, $reason] = $payload === '' ? [1005, ''] : [unpack('n', $payload)[1], substr($payload, 2)];
            if (!$closing) $ws->write(CLOSE, $payload);
            break;
        } else {
            if ($opcode !== 0) $kind = $opcode;
            $message .= $payload;
            if (!$final) continue;
            [$whole, $message] = [$message, ''];
            if ($kind === TEXT && str_starts_with($whole, '/')) {
                [$order, $number, $rest] = array_pad(explode(' ', $whole, 3), 3, '');
                if ($order === '/fragments') $fragments = (int) $number;
                elseif ($order === '/pings') for ($i = 0; $i < (int) $number; ++$i) $ws->write(PING, (string) $i);
                elseif ($order === '/close') {
                    $closing = true;
                    $ws->write(CLOSE, $number === '' ? '' : pack('n', $number) . $rest);
                } else {
                    break;
                }
                continue;
            }
            hash_update($hash, $whole);
            for ($i = 0; $i < $fragments; ++$i) {
                $begin = intdiv(strlen($whole) * $i, $fragments);
                $end = intdiv(strlen($whole) * ($i + 1), $fragments);
                $ws->write($i === 0 ? $kind : 0, substr($whole, $begin, $end - $begin), $i + 1 === $fragments);
            }
        }
    }
    $ws->cut();
    say(['code' => $code, 'reason' => $reason, 'pongs' => $pongs, 'sha256' => hash_final($hash)]);
}

foreach (array_slice($argv, 2) as $url) {
    try {
        converse(new Connection($url));
    } catch (Exception $error) {
        say(['error' => $error->getMessage()]);
    }
}
