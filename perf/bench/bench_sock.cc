// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// CPU per UDP copy of tx_fanout on port sock, beside the plainest loop there is: sendmmsg over
// messages that were built once, one for each destination. Both send into a veth pair in a
// namespace of their own, whose far end drops what is not for it: nearest to handing packets to a
// NIC.

extern "C" {
#include "io/port_sock.h"
}

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <netinet/in.h>
#include <sched.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace
{

constexpr size_t kPayload = 1316;
constexpr uint32_t kNet = 0x0a630000; // 10.99.0.0/16
constexpr uint16_t kPort = 5000;

// A device without ARP sends to its own address, which its peer takes for another host's.
constexpr const char *kSetUp = "ip link add v0 type veth peer name v1 && ip addr add 10.99.0.1/16 "
			       "dev v0 && ip link set v0 up arp off && ip link set v1 up";

bool namespace_make()
{
	uid_t uid = geteuid();

	if (unshare(uid ? CLONE_NEWUSER | CLONE_NEWNET : CLONE_NEWNET))
		return false;
	return std::system(kSetUp) == 0;
}

endpoint destination(size_t i)
{
	return endpoint_of_v4(kNet + 2 + (uint32_t)i, kPort);
}

// --- ours -----------------------------------------------------------------------------------

std::vector<line> lines_of(size_t n, enum line_kind kind, const endpoint &local)
{
	std::vector<line> lines(n);

	for (size_t i = 0; i < n; i++) {
		line_udp u = {};
		line_srt s = {};

		u.local = local;
		u.peer = destination(i);
		s.dst_id = (uint32_t)i;
		if (kind == LINE_SRT)
			line_build_srt(&lines[i], &u, &s);
		else
			line_build_udp(&lines[i], &u);
	}
	return lines;
}

void run_fanout(benchmark::State &state, enum line_kind kind, port *p, const endpoint &local)
{
	size_t n = (size_t)state.range(0), n_pl = (size_t)state.range(1);
	auto lines = lines_of(n, kind, local);
	std::vector<uint8_t> bytes(kPayload * n_pl, 0x47);
	std::vector<port_payload> pl(n_pl);
	uint32_t seq = 0;
	port_stats st;

	for (size_t i = 0; i < n_pl; i++) {
		pl[i].data = &bytes[i * kPayload];
		pl[i].len = kPayload;
	}
	for (auto _ : state) {
		for (auto &one : pl)
			one.seq = one.ts = seq++;
		port_tx_fanout(p, kind, pl.data(), (unsigned)n_pl, lines.data(), (unsigned)n);
	}
	p->ops->stats(p, &st);
	if (st.tx_full || st.tx_error)
		state.SkipWithError("copies were not sent");
	state.SetItemsProcessed(state.iterations() * (int64_t)(n * n_pl));
}

port *port_make()
{
	port_sock_opts o = {};
	char err[160] = "";
	port *p = port_sock_open(&o, err, sizeof(err));

	if (!p)
		std::fprintf(stderr, "%s\n", err);
	return p;
}

// A push: bare UDP from the worker's own socket.
void fanout(benchmark::State &state)
{
	port *p = port_make();

	if (!p)
		return state.SkipWithError("no port");
	run_fanout(state, LINE_UDP, p, endpoint_of_v4(0, 0));
	p->ops->close(p);
}

// SRT subscribers of a listener that is bound to no address in particular: each copy has a header
// of its own and names the address it leaves from.
void fanout_srt(benchmark::State &state)
{
	endpoint any = endpoint_of_v4(0, 9000);
	port_sock_opts o = {};
	port *p = port_make();
	char err[160];
	int fd;

	if (!p || port_sock_listen(&any, 1, &o, &fd, err, sizeof(err)) || p->ops->add(p, fd, 0))
		return state.SkipWithError("no port");
	run_fanout(state, LINE_SRT, p, endpoint_of_v4(kNet + 1, 9000));
	p->ops->close(p);
}

// --- the loop -------------------------------------------------------------------------------

void loop(benchmark::State &state)
{
	size_t n = (size_t)state.range(0), n_pl = (size_t)state.range(1);
	int fd = socket(AF_INET, SOCK_DGRAM, 0), size = 8 << 20;
	std::vector<uint8_t> bytes(kPayload * n_pl, 0x47);
	std::vector<sockaddr_in> name(n);
	std::vector<mmsghdr> msg(n);
	std::vector<iovec> iov(n_pl);

	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	for (size_t k = 0; k < n_pl; k++)
		iov[k] = {&bytes[k * kPayload], kPayload};
	for (size_t i = 0; i < n; i++) {
		name[i].sin_family = AF_INET;
		name[i].sin_port = htons(kPort);
		name[i].sin_addr.s_addr = htonl(kNet + 2 + (uint32_t)i);
		msg[i].msg_hdr.msg_name = &name[i];
		msg[i].msg_hdr.msg_namelen = sizeof(name[i]);
		msg[i].msg_hdr.msg_iovlen = 1;
	}
	for (auto _ : state) {
		for (size_t k = 0; k < n_pl; k++) {
			for (auto &m : msg)
				m.msg_hdr.msg_iov = &iov[k];
			for (size_t at = 0; at < n;) {
				int r = sendmmsg(fd, &msg[at], (unsigned)(n - at), 0);

				if (r <= 0)
					return state.SkipWithError("not sent");
				at += (size_t)r;
			}
		}
	}
	close(fd);
	state.SetItemsProcessed(state.iterations() * (int64_t)(n * n_pl));
}

// --- medians and ratios ---------------------------------------------------------------------

class ratios : public benchmark::ConsoleReporter
{
      public:
	ratios() : ConsoleReporter(isatty(STDOUT_FILENO) ? OO_Defaults : OO_None)
	{
	}

	void ReportRuns(const std::vector<Run> &runs) override
	{
		for (auto &r : runs)
			if (r.run_type == Run::RT_Iteration && !r.error_occurred)
				ns[r.run_name.args][r.run_name.function_name].push_back(
					1e9 / r.counters.at("items_per_second"));
		ConsoleReporter::ReportRuns(runs);
	}

	void print()
	{
		std::printf("\nmedian CPU ns per copy; lines/payloads of a burst\n%-12s %10s %10s "
			    "%7s %10s %7s\n",
			"", "loop", "fanout", "ratio", "fanout_srt", "ratio");
		for (auto &row : ns) {
			double base = median(row.second["loop"]);
			double udp = median(row.second["fanout"]);
			double srt = median(row.second["fanout_srt"]);

			std::printf("%-12s %10.0f %10.0f %7.2f %10.0f %7.2f\n", row.first.c_str(),
				base, udp, udp / base, srt, srt / base);
		}
	}

      private:
	std::map<std::string, std::map<std::string, std::vector<double>>> ns;

	static double median(std::vector<double> v)
	{
		if (v.empty())
			return 0;
		std::sort(v.begin(), v.end());
		return v[v.size() / 2];
	}
};

void rows(benchmark::internal::Benchmark *b)
{
	for (int n : {1, 10, 100, 1000})
		b->Args({n, 1});
	for (int n_pl : {4, 8, 16})
		b->Args({100, n_pl});
}

BENCHMARK(loop)->Apply(rows);
BENCHMARK(fanout)->Apply(rows);
BENCHMARK(fanout_srt)->Apply(rows);

} // namespace

int main(int argc, char **argv)
{
	std::vector<std::string> defaults = {"--benchmark_repetitions=5",
		"--benchmark_enable_random_interleaving=true", "--benchmark_min_time=0.2"};
	std::vector<char *> args = {argv[0]};
	ratios reporter;
	int n;

	for (auto &d : defaults)
		args.push_back(d.data());
	args.insert(args.end(), argv + 1, argv + argc);
	n = (int)args.size();
	args.push_back(nullptr);
	benchmark::Initialize(&n, args.data());
	if (benchmark::ReportUnrecognizedArguments(n, args.data()))
		return 2;
	if (!namespace_make()) {
		std::fprintf(stderr, "needs root or user namespaces, and ip(8)\n");
		return 1;
	}
	benchmark::RunSpecifiedBenchmarks(&reporter);
	reporter.print();
	return 0;
}
