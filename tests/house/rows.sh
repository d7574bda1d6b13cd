#!/usr/bin/env bash
# The rows of the conformance (C) and threat (S) lists: writes build/rows.txt, which names the tests of each row by
# role, and fails if a row of tests/rows.tsv has none. A Catch2 case proves a row by its tag, [C110]; any other test
# by the tag in a line of its file, best in the name that it reports. [client] or [server] beside it narrows the proof
# to that role.
house=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "${1:-$house/../..}" || exit 2
mkdir -p build

mapfile -t tests < <(find tests \( -name '*.cpp' -o -name '*.sh' -o -name '*.py' -o -name '*.mjs' -o -name '*.cjs' \) \
    -not -path 'tests/support/*' -not -path 'tests/house/*' | sort)

perl - tests/rows.tsv build/rows.txt "${tests[@]}" <<'PERL'
use strict; use warnings;
my ($demanded_path, $table_path, @files) = @ARGV;
my %proofs;                                   # row -> role -> [test]
sub proves {
    my ($test, $tags) = @_;
    my @roles = grep { $tags =~ /\[$_\]/ } qw(client server);
    @roles = qw(client server) unless @roles;
    for my $row ($tags =~ /\[([CS]\d+)\]/g) { push @{ $proofs{$row}{$_} }, $test for @roles }
}

my $string = qr/"(?:[^"\\]|\\.)*"/;
my $strings = qr/$string(?:\s*$string)*/;
my $case = qr/\b(?:TEMPLATE_(?:LIST_)?)?TEST_CASE(?:_SIG|_METHOD)?\s*\((?:\s*\w+\s*,)?/;
for my $file (@files) {
    open my $in, '<', $file or die "$file: $!";
    my $text = do { local $/; <$in> };
    if ($file =~ /\.cpp$/) {
        while ($text =~ /$case\s*($strings)\s*,\s*($strings)/g) {
            my ($name, $tags) = ($1, $2);
            proves("$file: " . join('', $name =~ /"((?:[^"\\]|\\.)*)"/g), $tags);
        }
    } else {
        for (split /\n/, $text) { proves("$file: " . s/^\s+//r, $_) if /\[[CS]\d+\]/ }
    }
}

my (%demanded, @open);
open my $in, '<', $demanded_path or die "$demanded_path: $!";
while (<$in>) {
    my ($row, $role) = /^([CS]\d+)\t(client|server|both)\t/ or next;
    $demanded{$row} = exists $demanded{$row} && $demanded{$row} ne $role ? 'both' : $role;
}
my sub by_number { substr($a, 0, 1) cmp substr($b, 0, 1) || substr($a, 1) <=> substr($b, 1) }

open my $out, '>', $table_path or die "$table_path: $!";
my %rows = (%demanded, %proofs);
for my $row (sort by_number keys %rows) {
    my $whose = $demanded{$row} // 'not demanded';
    my @lacking = $whose eq 'both' ? grep { !$proofs{$row}{$_} } qw(client server)
                : $whose eq 'not demanded' ? ()
                : $proofs{$row}{$whose} ? () : $whose;
    print $out "$row ($whose)", (@lacking ? ": OPEN for @lacking" : ''), "\n";
    my %seen;
    for my $role (qw(client server)) {
        for my $test (@{ $proofs{$row}{$role} // [] }) { $seen{$test}{$role} = 1 }
    }
    print $out "    $_ (", join(', ', sort keys %{ $seen{$_} }), ")\n" for sort keys %seen;
    push @open, @lacking == 1 && $whose eq 'both' ? "$row ($lacking[0])" : $row if @lacking;
}
if (!%demanded) { print "tests/rows.tsv demands nothing\n"; exit 1 }
exit 0 unless @open;
printf "%d of %d demanded rows have no test: %s\n", scalar @open, scalar keys %demanded, join(' ', @open);
exit 1;
PERL
