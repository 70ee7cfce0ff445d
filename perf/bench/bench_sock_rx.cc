// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// CPU per datagram that port sock takes out of sockets where it waits already, in both receive
// modes: single datagrams, and bundles of eight as a publisher's bursts arrive (UDP_GRO). Beside
// it, recv(2) one by one.

#include "bench.h"

extern "C" {
#include "io/port_sock.h"
}

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace
{

constexpr int kPayload = 1316;
constexpr int kDatagrams = 256; // waiting when the clock starts

struct sender {
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	sockaddr_in to = {};

	explicit sender(int receiver)
	{
		socklen_t len = sizeof(to);

		getsockname(receiver, (sockaddr *)&to, &len);
	}

	~sender()
	{
		close(fd);
	}

	void send(int datagrams, int bundle)
	{
		static const uint8_t bytes[kPayload * 16] = {};

		setsockopt(fd, SOL_UDP, UDP_SEGMENT, &kPayload, sizeof(kPayload));
		for (int i = 0; i < datagrams; i += bundle)
			sendto(fd, bytes, (size_t)(kPayload * bundle), 0, (sockaddr *)&to,
				sizeof(to));
	}
};

int receiver_open(const port_sock_opts &o)
{
	port_sock_source src = {};
	char err[160];

	src.bind = endpoint_of_v4(0x7f000001, 0);
	return port_sock_bind(&src, &o, err, sizeof(err));
}

void rx(benchmark::State &state, bool no_uring)
{
	port_sock_opts o = {};
	char err[160];
	port_rx rx[PORT_BURST];
	port *p;
	int fd;

	o.no_uring = no_uring;
	p = port_sock_open(&o, err, sizeof(err));
	fd = receiver_open(o);
	if (!p || fd < 0 || p->ops->add(p, fd, 0))
		return state.SkipWithError(err);
	sender s(fd);
	meter m(state);

	for (auto _ : state) {
		m.pause();
		s.send(kDatagrams, (int)state.range(0));
		m.resume();
		for (unsigned got = 0; got < kDatagrams;)
			got += port_rx_burst(p, rx, PORT_BURST);
	}
	p->ops->close(p);
	m.packets((uint64_t)state.iterations() * kDatagrams);
}

void recv_loop(benchmark::State &state)
{
	port_sock_opts o = {};
	int fd = receiver_open(o), off = 0;
	static uint8_t buf[65536];
	sender s(fd);

	setsockopt(fd, SOL_UDP, UDP_GRO, &off, sizeof(off));
	meter m(state);

	for (auto _ : state) {
		m.pause();
		s.send(kDatagrams, (int)state.range(0));
		m.resume();
		for (int i = 0; i < kDatagrams; i++)
			recv(fd, buf, sizeof(buf), 0);
	}
	close(fd);
	m.packets((uint64_t)state.iterations() * kDatagrams);
}

BENCHMARK_CAPTURE(rx, io_uring, false)->Arg(1)->Arg(8);
BENCHMARK_CAPTURE(rx, epoll, true)->Arg(1)->Arg(8);
BENCHMARK(recv_loop)->Arg(1)->Arg(8);

} // namespace

BENCHMARK_MAIN();
