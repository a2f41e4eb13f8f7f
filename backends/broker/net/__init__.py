"""The network side: one epoll loop, connections, and the thread that forces files to the disk."""
