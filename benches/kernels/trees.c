/* Builds binary trees of many sizes from malloc, counts them and frees them: the allocator and pointer chasing. */
#include "kernel.h"

struct node { struct node *left, *right; };

static struct node *build(int depth)
{
    struct node *node = malloc(sizeof *node);
    if (!node)
        exit(1);
    node->left = depth ? build(depth - 1) : NULL;
    node->right = depth ? build(depth - 1) : NULL;
    return node;
}

static uint32_t count(const struct node *node)
{
    return node->left ? 1 + count(node->left) + count(node->right) : 1;
}

static void release(struct node *node)
{
    if (node->left) {
        release(node->left);
        release(node->right);
    }
    free(node);
}

int main(int argc, char **argv)
{
    struct node *kept = build(15);
    uint64_t sum = 0;
    for (long turn = turns(argc, argv, 14000); turn > 0; turn--) {
        struct node *tree = build(4 + (int)(turn % 10));
        sum = sum * 31 + count(tree);
        release(tree);
    }
    sum += count(kept);
    release(kept);
    return answer(sum);
}
