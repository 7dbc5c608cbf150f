/**
 * The named sets of system calls that a seccomp isolator may list beside single calls.
 * https://github.com/appc/spec/blob/v0.8.11/spec/ace.md#oslinuxseccomp-remove-set
 *
 * The members are facts, the first three from rkt's stage1/init/common/seccomp_wildcards.go (Apache-2.0; Docker's lists of 2016). rkt
 * left the sets of systemd to the systemd of the pod, so theirs, systemd 252's, are only near to what a pod had.
 */

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

const DOCKER_WHITELIST = words(`
    _llseek _newselect accept accept4 access alarm arch_prctl bind brk capget capset chdir chmod chown chown32 chroot
    clock_getres clock_gettime clock_nanosleep clone close connect copy_file_range creat dup dup2 dup3 epoll_create
    epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_wait epoll_wait_old eventfd eventfd2 execve execveat exit
    exit_group faccessat fadvise64 fadvise64_64 fallocate fanotify_mark fchdir fchmod fchmodat fchown fchown32 fchownat
    fcntl fcntl64 fdatasync fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64
    fsync ftruncate ftruncate64 futex futimesat get_robust_list get_thread_area getcpu getcwd getdents getdents64 getegid
    getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getitimer getpeername getpgid getpgrp getpid getppid
    getpriority getrandom getresgid getresgid32 getresuid getresuid32 getrlimit getrusage getsid getsockname getsockopt
    gettid gettimeofday getuid getuid32 getxattr inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel
    io_destroy io_getevents io_setup io_submit ioctl ioprio_get ioprio_set ipc kill lchown lchown32 lgetxattr link linkat
    listen listxattr llistxattr lremovexattr lseek lsetxattr lstat lstat64 madvise memfd_create mincore mkdir mkdirat mknod
    mknodat mlock mlock2 mlockall mmap mmap2 modify_ldt mprotect mq_getsetattr mq_notify mq_open mq_timedreceive
    mq_timedsend mq_unlink mremap msgctl msgget msgrcv msgsnd msync munlock munlockall munmap nanosleep newfstatat open
    openat pause personality pipe pipe2 poll ppoll prctl pread64 preadv prlimit64 pselect6 pwrite64 pwritev read readahead
    readlink readlinkat readv recv recvfrom recvmmsg recvmsg remap_file_pages removexattr rename renameat renameat2
    restart_syscall rmdir rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend
    rt_sigtimedwait rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr
    sched_getparam sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam
    sched_setscheduler sched_yield seccomp select semctl semget semop semtimedop send sendfile sendfile64 sendmmsg sendmsg
    sendto set_robust_list set_thread_area set_tid_address setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups
    setgroups32 setitimer setpgid setpriority setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid
    setreuid32 setrlimit setsid setsockopt setuid setuid32 setxattr shmat shmctl shmdt shmget shutdown sigaltstack signalfd
    signalfd4 sigreturn socket socketcall socketpair splice stat stat64 statfs statfs64 symlink symlinkat sync
    sync_file_range syncfs sysinfo syslog tee tgkill time timer_create timer_delete timer_getoverrun timer_gettime
    timer_settime timerfd_create timerfd_gettime timerfd_settime times tkill truncate truncate64 ugetrlimit umask uname
    unlink unlinkat utime utimensat utimes vfork vmsplice wait4 waitid waitpid write writev`);

const DOCKER_BLACKLIST = words(`
    _sysctl acct add_key adjtimex bpf clock_adjtime clock_settime create_module delete_module finit_module get_kernel_syms
    get_mempolicy init_module ioperm iopl kcmp kexec_file_load kexec_load keyctl lookup_dcookie mbind mount move_pages
    name_to_handle_at nfsservctl open_by_handle_at perf_event_open pivot_root process_vm_readv process_vm_writev ptrace
    query_module quotactl reboot request_key set_mempolicy setns settimeofday stime swapoff swapon sysfs umount umount2
    unshare uselib userfaultfd ustat vm86 vm86old`);

/** What rkt allowed beside Docker's list on 32-bit and 64-bit ARM. */
const RKT_ARM = words(`
    arm_fadvise64_64 arm_sync_file_range breakpoint cacheflush set_tls sync_file_range2`);

const SYSTEMD: Readonly<Record<string, readonly string[]>> = {
  clock: words(`
    adjtimex clock_adjtime clock_adjtime64 clock_settime clock_settime64 settimeofday`),
  'default-whitelist': words(`
    arch_prctl brk cacheflush clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep
    clock_nanosleep_time64 execve exit exit_group futex futex_time64 futex_waitv get_robust_list get_thread_area getegid
    getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getpgid getpgrp getpid getppid getrandom getresgid
    getresgid32 getresuid getresuid32 getrlimit getsid gettid gettimeofday getuid getuid32 membarrier mmap mmap2 mprotect
    munmap nanosleep pause prlimit64 restart_syscall riscv_flush_icache riscv_hwprobe rseq rt_sigreturn sched_getaffinity
    sched_yield set_robust_list set_thread_area set_tid_address set_tls sigreturn time ugetrlimit uretprobe`),
  mount: words(`
    chroot fsconfig fsmount fsopen fspick mount mount_setattr move_mount open_tree pivot_root umount umount2`),
  'network-io': words(`
    accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg recvmmsg_time64 recvmsg
    send sendmmsg sendmsg sendto setsockopt shutdown socket socketcall socketpair`),
  obsolete: words(`
    _sysctl afs_syscall bdflush break create_module ftime get_kernel_syms getpmsg gtty idle lock mpx prof profil putpmsg
    query_module security sgetmask ssetmask stime stty sysfs tuxcall ulimit uselib ustat vserver`),
  privileged: words(`
    _sysctl acct adjtimex bpf capset chown chown32 chroot clock_adjtime clock_adjtime64 clock_settime clock_settime64
    delete_module fanotify_init fanotify_mark fchown fchown32 fchownat finit_module init_module ioperm iopl kexec_file_load
    kexec_load lchown lchown32 nfsservctl open_by_handle_at pciconfig_iobase pciconfig_read pciconfig_write pivot_root
    quotactl quotactl_fd reboot s390_pci_mmio_read s390_pci_mmio_write setdomainname setfsuid setfsuid32 setgroups
    setgroups32 sethostname setresuid setresuid32 setreuid setreuid32 settimeofday setuid setuid32 swapoff swapon vhangup`),
  process: words(`
    capget clone clone3 execveat fork getrusage kill pidfd_open pidfd_send_signal prctl rt_sigqueueinfo rt_tgsigqueueinfo
    setns swapcontext tgkill times tkill unshare vfork wait4 waitid waitpid`),
  'raw-io': words(`
    ioperm iopl pciconfig_iobase pciconfig_read pciconfig_write s390_pci_mmio_read s390_pci_mmio_write`),
};

export interface ExpandedSeccomp {
  /** That of the isolator, but for a remove-set with `@appc.io/empty`, which asks for rkt's default: a retain-set. */
  readonly mode: 'retain' | 'remove';
  /** Sorted, each once. */
  readonly calls: readonly string[];
  /** Names with an `@` that nobody defined; rkt passed over them in silence. */
  readonly unknown: readonly string[];
  /** Names whose members are only near to what a pod had. */
  readonly approximate: readonly string[];
  /** `@appc.io/all`: in a retain-set, no filter at all. In a remove-set it has no meaning, and is among `unknown` too. */
  readonly all: boolean;
}

/** @param architecture GOARCH; some sets have more members on ARM */
export function expandSeccomp(
  names: readonly string[],
  mode: 'retain' | 'remove',
  architecture?: string | undefined,
): ExpandedSeccomp {
  const none = { unknown: [], approximate: [], all: false };
  const rkt = architecture === 'arm' || architecture === 'arm64' ? [...DOCKER_WHITELIST, ...RKT_ARM] : DOCKER_WHITELIST;
  // Either masks whatever else the set lists.
  if (mode === 'retain' && names.includes('@appc.io/all')) return { ...none, mode, calls: [], all: true };
  if (mode === 'remove' && names.includes('@appc.io/empty')) return { ...none, mode: 'retain', calls: sorted(rkt) };
  const sets: ReadonlyMap<string, readonly string[]> = new Map([
    ['@appc.io/empty', []],
    ['@docker/default-whitelist', DOCKER_WHITELIST],
    ['@docker/default-blacklist', DOCKER_BLACKLIST],
    ['@rkt/default-whitelist', rkt],
    ['@rkt/default-blacklist', DOCKER_BLACKLIST],
    ...Object.entries(SYSTEMD).map(([name, calls]) => [`@systemd/${name}`, calls] as const),
  ]);
  const wildcards = sorted(names.filter((name) => name.startsWith('@')));
  return {
    mode,
    calls: sorted(names.flatMap((name) => (name.startsWith('@') ? (sets.get(name) ?? []) : [name]))),
    unknown: wildcards.filter((name) => !sets.has(name)),
    approximate: wildcards.filter((name) => name.startsWith('@systemd/') && sets.has(name)),
    all: names.includes('@appc.io/all'),
  };
}

const sorted = (names: readonly string[]): readonly string[] => [...new Set(names)].sort();
